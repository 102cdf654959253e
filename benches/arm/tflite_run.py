"""Runs a file of TensorFlow Lite COUNT times on one thread, to count its instructions: the difference of two counts is the cost of
inferences.

    python tflite_run.py FILE COUNT
"""

import sys

import numpy as np
from tflite_runtime.interpreter import Interpreter

interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
(details,) = interpreter.get_input_details()
numbers = np.arange(np.prod(details["shape"])) * 7 % 251
interpreter.set_tensor(details["index"], numbers.reshape(details["shape"]).astype(details["dtype"]))
for _ in range(int(sys.argv[2])):
    interpreter.invoke()
print(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
