"""Chapter 5 as a good student may answer it."""

import math

import torch
from torch import nn


def lamb_update(parameter, gradient, exp_avg, exp_avg_sq, *, lr, betas, eps, weight_decay):
    m = betas[0] * exp_avg + (1 - betas[0]) * gradient
    v = betas[1] * exp_avg_sq + (1 - betas[1]) * gradient * gradient
    update = m / (torch.sqrt(v) + eps)
    update = update + weight_decay * parameter
    parameter_length = (parameter * parameter).sum().sqrt()
    update_length = (update * update).sum().sqrt()
    ratio = 1.0
    if parameter_length > 0 and update_length > 0:
        ratio = parameter_length / update_length
    return parameter - lr * ratio * update, m, v


def warmup_linear(step, *, peak, warmup_steps, total_steps):
    if step >= total_steps:
        return 0.0
    if step < warmup_steps:
        return peak * (step / warmup_steps)
    return peak * (total_steps - step) / (total_steps - warmup_steps)


def training_steps(model, batches, loss_function, optimizer, *, learning_rates, max_grad_norm):
    losses = []
    for number, batch in enumerate(batches):
        loss = loss_function(model, batch)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_grad_norm)
        for group in optimizer.param_groups:
            group["lr"] = learning_rates[number]
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    return losses


def perplexity(nats, predictions):
    mean = sum(nats.tolist()) / sum(predictions.tolist())
    return math.exp(mean)


def bits_per_byte(nats, n_bytes):
    bits = sum(each / math.log(2) for each in nats)
    return float(bits / n_bytes.sum())
