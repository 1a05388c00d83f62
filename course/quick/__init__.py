"""What spares a kernel work that Keras does around a student's own: opt-in, by a lab's ``helpers``.

- ``fit.py``: `fit` works through batches in groups.
- ``predict.py``: `predict` of one batch goes straight to the network.
- ``record.py``: what the reference run trained already is not trained again; ``digest.py`` names a
  training by all that determines it, ``plain.py`` tells what is no such training.

Each leaves everything as it is where the student could tell, or where anything is not as Keras made
it; the tests compare bits. What each gains: ``python -m bench.quick``. They stand on Keras's inside:
:data:`PRIVATE` lists of what, and ``tests/test_quick_private.py`` fails when that changes.
"""

from __future__ import annotations

from pathlib import Path

NAMES = ("fit", "predict", "plain", "digest", "record")
HELPERS = tuple(Path("course/quick") / f"{name}.py" for name in NAMES)
"""The files, for a lab's ``helpers``, in this order."""

READ_IN = {"keras": "3.15.1", "tensorflow": "2.21.0"}
"""The versions in which the following were read."""
PRIVATE = {
    "keras.src.backend.tensorflow.trainer.TensorFlowTrainer.fit": "a9a6dc02a7dd",
    "keras.src.backend.tensorflow.trainer.TensorFlowTrainer.predict": "ee5831d7d217",
    "keras.src.backend.tensorflow.trainer.TensorFlowTrainer.make_train_function": "a9703da4a49b",
    "keras.src.backend.tensorflow.trainer.TensorFlowTrainer.make_test_function": "ad5e9155b929",
    "keras.src.backend.tensorflow.trainer.TensorFlowTrainer.make_predict_function": "a772a2efdd90",
    "keras.src.trainers.trainer.Trainer.compile": "98ee80c63ae7",
    "keras.src.trainers.trainer.Trainer.compute_loss": "450e48288d48",
    "keras.src.trainers.trainer.Trainer.compute_metrics": "8c5a423878e0",
    "keras.src.trainers.trainer.Trainer.get_compile_config": "4d584e2e212b",
    "keras.src.layers.layer.Layer.__new__": "5a00b053e996",
    "keras.src.optimizers.base_optimizer.BaseOptimizer.build": "e9d310fddad5",
    "keras.src.backend.common.global_state.get_global_attribute": "d39da35cc653",
    "keras.src.random.seed_generator.global_seed_generator": "4ec13060644e",
    "keras.src.utils.traceback_utils.filter_traceback": "3cb3e48983be",
    "tensorflow.python.eager.context.context": "b9aa8511315f",
}
"""Each function of another library's inside that the files stand on, and the start of the SHA-256 of
its source as it was read. Whoever finds it changed reads it again, and its callers in here."""
