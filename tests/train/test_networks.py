"""First weights, and what a recipe takes out of a network."""

import torch
from torch import nn

from inception_bench import create_model
from inception_bench.train.average import fill_without_aux, make_average, recalibrate
from inception_bench.train.networks import make_networks


def test_caffes_draw(tiny):
    """xavier: uniform with variance 1 / fan_in, so within sqrt(3 / fan_in); biases 0.2, of classifiers 0."""
    network, _ = make_networks(tiny("googlenet", first_weights="caffe", width_mult=0.5), 10)
    conv = network.rows["Mixed_5c"].branches[1][1].conv  # 3x3 on 96 channels at half the width
    fan_in = 9 * 96
    assert conv.weight[0].numel() == fan_in
    assert float(conv.weight.detach().abs().max()) <= (3 / fan_in) ** 0.5
    assert abs(float(conv.weight.detach().var()) * fan_in - 1) < 0.02
    assert (conv.bias == 0.2).all()
    assert (network.classifier.linear.bias == 0).all()
    assert (network.aux["Mixed_4b"].head.linear.bias == 0).all()
    assert (network.aux["Mixed_4b"].head.hidden_1.bias == 0.2).all()


def test_a_quiet_stem_is_a_quarter_of_each_convolution_before_the_first_module(tiny):
    """Three convolutions (Table 1 of arXiv:1409.4842 before 3a); what follows is as it was."""
    loud, quiet = (
        make_networks(tiny("googlenet_naive", first_weights=draw), 10)[0] for draw in ("caffe", "caffe-quiet-stem")
    )
    pairs = zip(loud.named_parameters(), quiet.parameters(), strict=True)
    smaller = [name for (name, one), two in pairs if not torch.equal(one, two)]
    assert [name.split(".")[1] for name in smaller] == ["Conv2d_1a_7x7", "Conv2d_2b_1x1", "Conv2d_2c_3x3"]
    assert all(torch.equal(loud.get_parameter(name) / 4, quiet.get_parameter(name)) for name in smaller)


def test_caffes_draw_leaves_networks_with_batch_norm_alone(tiny):
    """The same seed, so the weights of ``create_model``."""
    network, _ = make_networks(tiny(first_weights="caffe", aux=False), 10)
    torch.manual_seed(0)
    plain = create_model("googlenet@bn", width_mult=0.125, num_classes=10)
    assert all(torch.equal(one, two) for one, two in zip(network.parameters(), plain.parameters(), strict=True))


def test_the_seed_decides_the_first_weights(tiny):
    first, again, other = (make_networks(tiny(seed=seed), 10)[0].classifier.linear.weight for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_dropout_off_is_off_in_the_aux_heads_too(tiny):
    with_it, _ = make_networks(tiny("googlenet"), 10)
    without, _ = make_networks(tiny("googlenet", dropout=False), 10)
    # arXiv:1409.4842: 40 % before the classifier (Table 1), 70 % in each of two aux heads (section 5).
    assert sorted(m.p for m in with_it.modules() if isinstance(m, nn.Dropout)) == [0.4, 0.7, 0.7]
    assert {m.p for m in without.modules() if isinstance(m, nn.Dropout)} == {0.0}


def test_average_of_weights_by_hand():
    """Weights 0, 1, 1 at decay 0.9: the first is copied, then min(0.9, 2/11) and min(0.9, 3/12) of the old one stay."""
    layer = nn.Linear(1, 1, bias=False)
    average = make_average(layer, 0.9)
    for value in (0.0, 1.0, 1.0):
        with torch.no_grad():
            layer.weight.fill_(value)
        average.update_parameters(layer)
    second = 1 - 2 / 11
    assert abs(average.module.weight.item() - (3 / 12 * second + 9 / 12)) < 1e-6


def test_recalibrated_statistics_are_those_of_the_images():
    """Two batches of one channel: their means 1 and 3, their (unbiased) variances 2 and 8; the averages 2 and 5."""
    norm = nn.BatchNorm2d(1)
    batches = [torch.tensor([0.0, 2.0]).view(2, 1, 1, 1), torch.tensor([1.0, 5.0]).view(2, 1, 1, 1)]
    recalibrate(norm, batches, torch.device("cpu"))
    assert norm.running_mean.item() == 2
    assert norm.running_var.item() == 5


def test_aux_heads_stay_behind():
    torch.manual_seed(0)
    options = {"width_mult": 0.125, "num_classes": 10}
    source, target = create_model("googlenet", aux=True, **options), create_model("googlenet", **options)
    fill_without_aux(target, source)
    assert torch.equal(target.classifier.linear.weight, source.classifier.linear.weight)
    assert not any(name.startswith("aux") for name in target.state_dict())
