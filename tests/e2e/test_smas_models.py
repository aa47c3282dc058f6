"""Real models through the installed command: pushed, pulled, and loaded by the libraries they are for.

Each library runs in a process of its own, as at a user's, with nothing but the sign-in of `smas login`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.e2e.smas_command import Smas

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Stack

# mlflow and transformers stay off the network, and say nothing of whoever uses them.
ALONE: Final = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}
SAVE_MLFLOW: Final = """
import sys, mlflow.sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
rows, labels = load_iris(return_X_y=True)
model = LogisticRegression(max_iter=500).fit(rows, labels)
given = {"serialization_format": "cloudpickle", "pip_requirements": ["scikit-learn"]}
mlflow.sklearn.save_model(model, sys.argv[1], **given)
print(model.predict_proba(rows).tolist())
"""
LOAD_MLFLOW: Final = """
import sys, mlflow.sklearn
from sklearn.datasets import load_iris
model = mlflow.sklearn.load_model(sys.argv[1])
print(model.predict_proba(load_iris(return_X_y=True)[0]).tolist())
"""
SAVE_HUGGING_FACE: Final = """
import json, pathlib, sys
import numpy
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

folder = pathlib.Path(sys.argv[1])
folder.mkdir()
config = {"model_type": "bert", "hidden_size": 32, "num_attention_heads": 2, "vocab_size": 60}
(folder / "config.json").write_text(json.dumps(config))
tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
trainer = trainers.BpeTrainer(vocab_size=60, special_tokens=["[UNK]", "[PAD]"], show_progress=False)
tokenizer.train_from_iterator(["who touched what, and when", "what was touched"], trainer)
tokenizer.save(str(folder / "tokenizer.json"))
made_by = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]", "pad_token": "[PAD]"}
(folder / "tokenizer_config.json").write_text(json.dumps(made_by))
random, shards = numpy.random.default_rng(7), {}
for number in (1, 2, 3):
    name = f"model-{number:05}-of-00003.safetensors"
    tensors = {f"layer.{number}.{kind}": random.standard_normal((64, 64)) for kind in ("weight", "bias")}
    save_file(tensors, folder / name)
    shards |= dict.fromkeys(tensors, name)
index = {"metadata": {"total_size": 6 * 64 * 64 * 8}, "weight_map": shards}
(folder / "model.safetensors.index.json").write_text(json.dumps(index))
"""
READ_HUGGING_FACE: Final = """
import json, pathlib, sys
from hashlib import sha256
from safetensors.numpy import load_file
from transformers import AutoConfig, AutoTokenizer

folder = pathlib.Path(sys.argv[1])
tensors = {}
for name in set(json.loads((folder / "model.safetensors.index.json").read_text())["weight_map"].values()):
    tensors |= load_file(folder / name)
if len(sys.argv) > 2:
    from smas import Store
    straight = Store().load_safetensors(sys.argv[2])
    assert straight.keys() == tensors.keys()
    assert all((straight[name] == tensors[name]).all() for name in tensors)
print(AutoConfig.from_pretrained(folder).to_json_string())
print(AutoTokenizer.from_pretrained(folder)("who was touched")["input_ids"])
print(sorted((name, str(t.dtype), t.shape, sha256(t.tobytes()).hexdigest()) for name, t in tensors.items()))
"""
READ_TABLES: Final = """
import sys, fsspec, pandas
where = f"smas://{sys.argv[1]}@1"
table = pandas.read_csv(f"{where}/scores.csv")
assert list(table.columns) == ["team", "score"], table
with fsspec.open(f"{where}/notes/read me.txt", "rt", encoding="utf-8") as file:
    text = file.read()
names = sorted(fsspec.filesystem("smas").ls(f"{sys.argv[1]}@1", detail=False))
print(table["score"].sum(), text, [name.rpartition("/")[2] for name in names])
"""
SAVE_FOREST: Final = """
import sys, joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
rows, labels = load_iris(return_X_y=True)
forest = RandomForestClassifier(n_estimators=10, random_state=7).fit(rows, labels)
joblib.dump(forest, sys.argv[1])
print(forest.predict_proba(rows).tolist())
"""
LOAD_FOREST: Final = """
import sys
from sklearn.datasets import load_iris
from smas import Store
forest = Store().load_joblib(sys.argv[1])
print(forest.predict_proba(load_iris(return_X_y=True)[0]).tolist())
"""


def test_an_mlflow_model_predicts_the_same_after_its_journey(
    stack: Stack, model: str, tmp_path: Path
) -> None:
    """What `mlflow.sklearn.save_model` wrote is loaded by mlflow from the pulled folder."""
    smas = Smas(tmp_path).login(stack)
    before = smas.python(SAVE_MLFLOW, tmp_path / "out", **ALONE)
    smas.text("push", tmp_path / "out", model, "--metadata", "framework=mlflow")
    smas.text("pull", model, tmp_path / "in")
    assert smas.python(LOAD_MLFLOW, tmp_path / "in", **ALONE) == before


def test_a_hugging_face_folder_loads_after_its_journey(stack: Stack, model: str, tmp_path: Path) -> None:
    """Config, tokenizer and sharded tensors are read from the pulled folder, offline, just as they were."""
    smas = Smas(tmp_path).login(stack)
    smas.python(SAVE_HUGGING_FACE, tmp_path / "out", **ALONE)
    smas.text("push", tmp_path / "out", model)
    smas.text("pull", model, tmp_path / "in")
    before = smas.python(READ_HUGGING_FACE, tmp_path / "out", **ALONE)
    assert "layer.3.weight" in before
    assert smas.python(READ_HUGGING_FACE, tmp_path / "in", model, **ALONE) == before


def test_pandas_and_fsspec_read_straight_from_the_store(stack: Stack, model: str, tmp_path: Path) -> None:
    """A `smas://` path is enough where somebody signed in."""
    smas, out = Smas(tmp_path).login(stack), tmp_path / "out"
    (out / "notes").mkdir(parents=True)
    (out / "scores.csv").write_text("team,score\nfraud,40\nnlp,2\n", encoding="utf-8")
    (out / "notes" / "read me.txt").write_text("grüß dich", encoding="utf-8")
    smas.text("push", out, model)
    assert smas.python(READ_TABLES, model) == "42 grüß dich ['notes', 'scores.csv']"


def test_a_forest_is_loaded_with_one_call(stack: Stack, model: str, tmp_path: Path) -> None:
    """`Store().load_joblib("team/model@alias")` predicts as what was dumped."""
    smas = Smas(tmp_path).login(stack)
    before = smas.python(SAVE_FOREST, tmp_path / "forest.joblib")
    smas.text("push", tmp_path / "forest.joblib", model, "--alias", "champion")
    assert smas.python(LOAD_FOREST, f"{model}@champion") == before
