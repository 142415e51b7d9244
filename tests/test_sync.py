"""The last definition in the notebook is the package's, to the letter, docstrings aside."""

import ast
import importlib

import pytest

from tests import notebooks

# the lesson, the module, and the names that the lesson shares with it; a module may be built in several lessons
SHARED = [
    ("01_derivatives", "derivatives", ["forward_difference", "central_difference", "numerical_gradient"]),
    ("03_micrograd", "micrograd", ["as_number", "exp_or_inf", "power_or_inf", "topological_order", "Value"]),
    ("04_neural_networks", "mlp", ["Module", "WeightedSum", "Neuron", "Layer", "MLP"]),
    ("04_neural_networks", "descent", ["mean_squared_error"]),
    (
        "05_gradient_descent",
        "descent",
        ["hinge_loss", "constant", "step_decay", "linear_decay", "cosine_decay", "gradient_descent"],
    ),
    ("06_tensors", "tensors", ["matrices", "forward", "MLP"]),
    ("07_text", "text", ["CharTokenizer", "split", "get_batch"]),
    (
        "08_bigram",
        "bigram",
        ["count_bigrams", "probabilities", "negative_log_likelihood", "BigramLanguageModel"],
    ),
    ("09_bag_of_words", "averaging", ["average_with_loop", "BagOfWordsLanguageModel"]),
    ("10_matmul_trick", "averaging", ["averaging_weights", "average_with_matmul"]),
    (
        "11_softmax",
        "softmax",
        [
            "softmax",
            "softmax_derivatives",
            "softmax_backward",
            "causal_mask",
            "masked_softmax",
            "average_with_softmax",
        ],
    ),
    (
        "12_self_attention",
        "attention",
        [
            "attention_weights",
            "scaled_dot_product_attention",
            "Head",
            "head_of_values",
            "AttentionLanguageModel",
        ],
    ),
    (
        "13_multi_head_attention",
        "attention",
        [
            "split_heads",
            "join_heads",
            "MultiHeadAttention",
            "CrossAttention",
            "FeedForward",
            "LayerNorm",
            "Block",
            "fused_attention",
            "attention_maps",
        ],
    ),
    ("14_gpt", "gpt", ["Cache", "CausalSelfAttention", "GPTBlock", "GPT", "adamw"]),
    ("14_gpt", "descent", ["warm_up"]),
]
DEFINITION = (ast.FunctionDef, ast.ClassDef)


def without_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, DEFINITION) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def definitions(source):
    """Return the code of each function and class at the top level; of several of one name, the last."""
    body = without_docstrings(ast.parse(source)).body
    return {node.name: ast.unparse(node) for node in body if isinstance(node, DEFINITION)}


def patched(source):
    """Return the names that are set by other means than a definition: `Value.relu = ...`, `setattr(Value, ...)`."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Name, ast.Attribute)) and not isinstance(node.ctx, ast.Load):
            names.add(getattr(node, "id", "") or getattr(node.value, "id", ""))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("setattr", "delattr"):
            names.add(getattr(node.args[0], "id", ""))
    return names


def check(notebook_source, module_source, names, elsewhere=()):
    """Assert that each name has the same code in both, and that the module defines no others but those `elsewhere`."""
    lesson, module = definitions(notebook_source), definitions(module_source)
    assert {*names, *elsewhere} == set(module), "the list of shared names is not what the module defines"
    for name in names:
        assert name in lesson, f"the notebook never defines {name}"
        assert lesson[name] == module[name]
    assert not patched(notebook_source) & set(names), "a shared name is changed after its definition"


@pytest.mark.parametrize(("lesson", "name", "names"), SHARED)
def test_notebook_and_package_have_the_same_code(lesson, name, names):
    cells = notebooks.code_cells(notebooks.read(notebooks.FOLDER / f"{lesson}.ipynb"))
    elsewhere = [n for other, module, shared in SHARED if module == name and other != lesson for n in shared]
    with open(importlib.import_module(f"lesson_lib.{name}").__file__, encoding="utf-8") as module:
        check("\n".join(cell.source for cell in cells), module.read(), names, elsewhere)


MODULE = '''
def half(x):
    """Return half of x."""
    return x / 2

class Box:
    def add(self, x):
        """Add x."""
        self.sum += x
'''


def test_the_test_itself_passes():
    check("def half(x):\n    return 0\n" + MODULE.replace('"""Add x."""', "# other words"), MODULE, ["half", "Box"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x / 2", "x / 3"),
        ("+=", "="),
        ("def half(x)", "def half(y)"),
        ("def half", "if True:\n  def half"),
        ("class Box:\n", "class Box:\n    other = 1\n"),
        ("class Box", "class Case"),
    ],
)
def test_the_test_itself_fails(old, new):
    assert old in MODULE
    with pytest.raises(AssertionError):
        check(MODULE.replace(old, new), MODULE, ["half", "Box"])


@pytest.mark.parametrize("patch", ["Box.add = print", "setattr(Box, 'add', print)", "del Box.add", "half = print"])
def test_the_test_itself_fails_at_a_later_patch(patch):
    with pytest.raises(AssertionError, match="changed after its definition"):
        check(f"{MODULE}\n{patch}\n", MODULE, ["half", "Box"])


def test_the_test_itself_fails_at_a_forgotten_name():
    for names, elsewhere in ([], []), (["half"], []), (["half"], ["box"]):
        with pytest.raises(AssertionError, match="list of shared names"):
            check(MODULE, MODULE, names, elsewhere)
    check(MODULE, MODULE, ["half"], ["Box"])
