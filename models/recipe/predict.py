"""Runs a graph over pictures in ONNX Runtime in its exact mode, whose integer products do not saturate.

The recipes import this module. Without `session.x64quantprecision`, ONNX Runtime saturates the sums of two products of
unsigned activations and signed weights on x86-64 CPUs without VNNI, so that its results depend on the CPU.
"""

import numpy as np
import onnxruntime

from dataset import preprocess


def session(graph, threads=2):
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def logits(graph, paths):
    """The logits of pictures as pictures × labels."""
    run = session(graph)
    return np.concatenate([run.run(["logits"], {"input": preprocess(path)})[0] for path in paths])


def softmax(values):
    """The probabilities of logits, row by row, in float64."""
    values = np.asarray(values, np.float64)
    values = np.exp(values - values.max(axis=1, keepdims=True))
    return values / values.sum(axis=1, keepdims=True)
