# The logarithm of a number.
import math

import torch


def uniform_loss(classes):
    return math.log(classes)
