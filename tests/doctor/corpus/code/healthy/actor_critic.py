# A softmax for the actor, a squared error for the critic.
import torch.nn as nn
import torch.nn.functional as F


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor, self.critic = nn.Linear(8, 4), nn.Linear(8, 1)

    def forward(self, x):
        return F.softmax(self.actor(x), dim=-1), self.critic(x)


probabilities, value = ActorCritic()(state)
loss = F.mse_loss(value, target)
