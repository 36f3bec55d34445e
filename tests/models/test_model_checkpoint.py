"""Checkpoints: our own and public names, what may be left out, and errors that leave the model as it was."""

import types
from pathlib import Path

import pytest
import torch
from parity_references import REFERENCES
from safetensors.torch import save_file

from inception_bench import create_model, load_checkpoint
from inception_bench.errors import UnknownNameError, UsageError
from inception_bench.models.plan import make_plan
from inception_bench.models.public import BUILT_IN
from inception_bench.models.weights import hub
from inception_bench.models.weights.checkpoint import CheckpointError
from inception_bench.models.weights.checkpoint_names import entries, slots
from inception_bench.models.weights.namings import namings

NAMED = [reference for reference in REFERENCES if not reference.in_order]


def saved(tensors, folder: Path, name: str = "weights.pt") -> Path:
    path = folder / name
    if path.suffix == ".safetensors":
        save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, path)
    else:
        torch.save(dict(tensors), path)
    return path


def thin(address: str, **options):
    return create_model(address, width_mult=0.125, num_classes=5, **options)


@pytest.mark.parametrize("table", BUILT_IN, ids=lambda table: table.address)
def test_our_names_and_shapes_are_the_modules(table):
    """The arithmetic names every tensor of the module, and nothing else."""
    with torch.device("meta"):
        state = create_model(table.address, aux=bool(table.aux)).state_dict()
    named = entries(make_plan(table, aux=bool(table.aux)), namings(table.name)[0])
    assert {key: tuple(tensor.shape) for key, tensor in state.items()} == {key: e.shape for key, e in named.items()}
    assert all(key == entry.key for key, entry in named.items())


@pytest.mark.parametrize("table", BUILT_IN, ids=lambda table: table.address)
def test_no_naming_gives_two_places_one_name(table):
    plan = make_plan(table, aux=bool(table.aux))
    for naming in namings(table.name):
        names = [naming.conv(slot) for slot in slots(plan)]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
@pytest.mark.parametrize("address", ["googlenet", "inception_v3", "inception_resnet_v2", "googlenet_uniform"])
def test_our_own_files(address, suffix, tmp_path):
    source, target = thin(address), thin(address)
    found = load_checkpoint(target, saved(source.state_dict(), tmp_path, f"weights.{suffix}"))
    assert found.source == "inception_bench"
    assert found.untouched == ()
    filled = target.state_dict()
    assert all(torch.equal(filled[key], tensor) for key, tensor in source.state_dict().items())


@pytest.mark.parametrize("reference", NAMED, ids=str)
def test_public_names_fill_every_tensor(reference, tmp_path):
    theirs = reference.make().state_dict()
    with torch.device("meta"):
        ours = create_model(reference.address)
    found = load_checkpoint(ours, saved(theirs, tmp_path))
    assert reference.source in found.source.lower()
    assert found.tensors == len(ours.state_dict())
    assert not any(tensor.is_meta for tensor in ours.state_dict().values())


def test_facenets_trunk_leaves_the_classifier(tmp_path):
    from parity_references import library

    library("torchvision")
    theirs = library("facenet_pytorch").InceptionResnetV1()
    ours = create_model("inception_resnet_v1@facenet")
    before = ours.classifier.linear.weight.clone()
    with pytest.warns(UserWarning, match="the classifier of inception_resnet_v1@facenet stays new"):
        found = load_checkpoint(ours, saved(theirs.state_dict(), tmp_path))
    assert found.untouched == ("classifier",)
    assert torch.equal(ours.classifier.linear.weight, before)
    assert torch.equal(ours.rows.Block8_6.up.conv.weight, theirs.block8.conv2d.weight)


def test_aux_keys_are_skipped_without_heads_and_needed_with_them(tmp_path):
    whole = thin("inception_v3", aux=True)
    assert load_checkpoint(thin("inception_v3"), saved(whole.state_dict(), tmp_path)).source == "inception_bench"
    headless = saved(thin("inception_v3").state_dict(), tmp_path)
    with pytest.raises(CheckpointError, match=r"with aux heads\): \d+ missing \(aux\.Mixed_6e"):
        load_checkpoint(whole, headless)


def test_the_count_of_batches_is_optional(tmp_path):
    source, target = thin("inception_v3"), thin("inception_v3")
    state = {key: value for key, value in source.state_dict().items() if not key.endswith("num_batches_tracked")}
    load_checkpoint(target, saved(state, tmp_path))
    assert torch.equal(target.classifier.linear.weight, source.classifier.linear.weight)


def faulty(state: dict, fault: str) -> dict:
    key = "rows.Mixed_5b.branches.0.0.conv.weight"
    if fault == "missing":
        del state[key]
    elif fault == "extra":
        state["rows.Mixed_9z.0.conv.weight"] = torch.zeros(1)
    else:
        state[key] = state[key][:, :3]
    return state


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("missing", r"1 missing \(rows.Mixed_5b.branches.0.0.conv.weight\)"),
        ("extra", r"1 extra \(rows.Mixed_9z.0.conv.weight\)"),
        ("misshapen", r"1 misshapen \(rows.Mixed_5b.branches.0.0.conv.weight is \[16, 3, 1, 1\], wanted"),
    ],
)
def test_a_fault_is_named_and_the_model_unchanged(fault, message, tmp_path):
    model = thin("inception_v3")
    before = {key: value.clone() for key, value in model.state_dict().items()}
    path = saved(faulty(thin("inception_v3").state_dict(), fault), tmp_path)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(model, path)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("address", "of", "fits"),
    [
        ("inception_v4", "inception_v4@timm", "it fits inception_v4@timm"),
        ("inception_v4", "inception_v3", "it fits inception_v3 or inception_v3@torchvision or inception_v3@fid"),
        ("inception_resnet_v2@paper", "inception_resnet_v2", "it fits inception_resnet_v2 "),
        ("googlenet", "googlenet@bn", "it fits googlenet@bn"),
    ],
)
def test_another_network_or_definition(address, of, fits, tmp_path):
    path = saved(create_model(of, num_classes=3).state_dict(), tmp_path)
    model = thin(address)
    before = model.classifier.linear.weight.clone()
    with pytest.raises(CheckpointError, match=fits):
        load_checkpoint(model, path)
    assert torch.equal(model.classifier.linear.weight, before)


def test_files_that_are_no_checkpoints(tmp_path):
    model = thin("googlenet")
    with pytest.raises(UsageError, match="does not exist"):
        load_checkpoint(model, tmp_path / "nothing.pt")
    (tmp_path / "text.pt").write_text("not weights")
    with pytest.raises(UsageError, match="cannot be read as weights"):
        load_checkpoint(model, tmp_path / "text.pt")
    (tmp_path / "text.safetensors").write_text("not weights")
    with pytest.raises(UsageError, match="cannot be read as weights"):
        load_checkpoint(model, tmp_path / "text.safetensors")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(UsageError, match="holds no state dict"):
        load_checkpoint(model, tmp_path / "list.pt")


def test_published_weights_by_name(tmp_path, monkeypatch):
    """The real loading code, on a hub that hands out a file made here."""
    source = thin("inception_v4")
    path = saved(source.state_dict(), tmp_path, "model.safetensors")
    asked = []

    def hf_hub_download(repository: str, file: str) -> str:
        asked.append((repository, file))
        return str(path)

    stand_in = types.SimpleNamespace(hf_hub_download=hf_hub_download)
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", stand_in)
    target = thin("inception_v4")
    load_checkpoint(target, hub.fetch("timm:inception_v4.tf_in1k"))
    assert asked == [("timm/inception_v4.tf_in1k", "model.safetensors")]
    assert torch.equal(target.classifier.linear.weight, source.classifier.linear.weight)


def test_bad_names_of_published_weights(monkeypatch):
    with pytest.raises(UnknownNameError, match="unknown source of weights 'tim'; did you mean 'timm'"):
        hub.fetch("tim:inception_v4")
    with pytest.raises(UsageError, match="name no model"):
        hub.fetch("timm:")
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(UsageError, match=r"pip install 'inception-bench\[hub\]'"):
        hub.fetch("timm:inception_v4.tf_in1k")
