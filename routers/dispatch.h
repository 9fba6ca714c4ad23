/*
 * Optional parts of a sparse gate: noise on its scores, auxiliary losses that balance the load and keep the scores
 * small, and a bound on how many samples of a batch an expert takes.
 *
 *     Switch loss   K sum_i F_i P_i     F: share of the dispatches, P: mean probability; 1 balanced, K collapsed on one
 *     z-loss        (log sum exp z)^2
 *
 * Fedus, Zoph & Shazeer 2021 (jitter, load balance, capacity); Zoph et al. 2022 (z-loss).
 */
#ifndef ANB_ROUTERS_DISPATCH_H
#define ANB_ROUTERS_DISPATCH_H

#include "src/numeric/random.h"
#include <stddef.h>

/* K sum F P of shares that need not sum to one: F is divided by its sum; 0 where that is 0. */
double anb_switch_loss(const double *dispatches, const double *p, size_t k);

/* Adds to `slope`, over k scores z with probabilities p, the gradient of
 * balance * anb_switch_loss(dispatches, p) + square * (log sum exp z)^2, the dispatches held fixed. */
void anb_auxiliary_slope(const double *z, const double *p, const double *dispatches, size_t k, double balance,
                         double square, double *slope);

/* k factors 1 + jitter N(0, 1). */
void anb_jitter(AnbRandom *random, double jitter, size_t k, double *factor);

/* k terms noise N(0, 1). */
void anb_noise(AnbRandom *random, double noise, size_t k, double *term);

/* How many of `samples` samples, each to top_k of k experts, an expert takes: ceil(factor top_k samples / k). */
size_t anb_capacity(double factor, size_t top_k, size_t samples, size_t k);

/**
 * Selects the n experts with the largest q that have room left, in descending order, equal ones by index; reduces their
 * room.
 *
 * @param q       k scores
 * @param room    k samples that each may still take
 * @param active  n indices out
 * @return        how many were found: fewer than n only where fewer have room
 */
size_t anb_dispatch(const double *q, size_t k, double *room, unsigned *active, size_t n);

#endif
