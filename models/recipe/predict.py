"""Runs a graph over pictures in ONNX Runtime, in the mode whose integer products are exact.

Without `session.x64quantprecision`, ONNX Runtime on x86-64 CPUs without VNNI saturates the sums of two products of
unsigned activations and signed weights, and answers differently from CPU to CPU.
"""

import numpy as np
import onnxruntime

from dataset import prepare


def session(graph, threads=2):
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def logits(graph, paths):
    """Pictures × labels."""
    run = session(graph)
    return np.concatenate([run.run(["logits"], {"input": prepare(path)})[0] for path in paths])


def softmax(values, temperature=1.0):
    values = np.asarray(values, np.float64) / temperature
    values = np.exp(values - values.max(axis=1, keepdims=True))
    return values / values.sum(axis=1, keepdims=True)
