/* A CUDA driver without a GPU: it answers what is asked of it before any context is made, and nothing else.
   The names, constants and types are those of cuda.h; GPU and version are told by the environment. */
#include <stdlib.h>
#include <string.h>

static int number(const char *name, int other)
{
    const char *given = getenv(name);
    return given ? atoi(given) : other;
}

int cuInit(unsigned flags) { return 0; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDeviceGet(int *device, int place) { *device = place; return 0; }
int cuDriverGetVersion(int *version) { *version = number("STUB_CUDA", 13000); return 0; }

int cuDeviceGetName(char *name, int size, int device)
{
    const char *given = getenv("STUB_GPU");
    strncpy(name, given ? given : "NVIDIA Stub", size);
    return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device)
{
    int capability = number("STUB_CAPABILITY", 90); /* 90 is 9.0 */
    *value = attribute == 75 ? capability / 10 : attribute == 76 ? capability % 10 : 0;
    return 0;
}
