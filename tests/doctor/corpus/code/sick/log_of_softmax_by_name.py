# expect: PQ330
import torch


def policy_loss(policy, states, actions, returns):
    probabilities = torch.softmax(policy(states), dim=-1)
    log_probabilities = probabilities.log()
    return -(log_probabilities.gather(1, actions) * returns).mean()
