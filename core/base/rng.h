/* rng.h -- one seeded stream of random numbers per job (xoshiro256**, seeded by splitmix64).
 *
 * The state is plain data, so a checkpoint can hold it. The same seed gives the same numbers on
 * every platform. Source: Blackman & Vigna, "Scrambled linear pseudorandom number generators",
 * 2018, arXiv:1805.01407. */
#ifndef LUC_BASE_RNG_H
#define LUC_BASE_RNG_H

#include <stdint.h>

struct luc_rng {
    uint64_t s[4];
};

void luc_rng_seed(struct luc_rng *rng, uint64_t seed);
uint64_t luc_rng_bits(struct luc_rng *rng);
double luc_rng_uniform(struct luc_rng *rng); /* [0, 1) */
double luc_rng_normal(struct luc_rng *rng);  /* mean 0, deviation 1; Box-Muller, two draws each */
/* Uniform in [0, n) without modulo bias; n > 0. */
uint64_t luc_rng_below(struct luc_rng *rng, uint64_t n);

#endif
