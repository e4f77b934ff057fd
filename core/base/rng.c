#include "core/base/rng.h"

#include <math.h>

static uint64_t rotl(uint64_t x, unsigned k)
{
    return (x << k) | (x >> (64u - k));
}

void luc_rng_seed(struct luc_rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) { /* splitmix64 */
        uint64_t z = seed += 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        rng->s[i] = z ^ (z >> 31);
    }
}

uint64_t luc_rng_bits(struct luc_rng *rng)
{
    uint64_t *s = rng->s;
    const uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

double luc_rng_uniform(struct luc_rng *rng)
{
    return (double)(luc_rng_bits(rng) >> 11) * 0x1p-53;
}

double luc_rng_normal(struct luc_rng *rng)
{
    const double two_pi = 6.283185307179586;
    const double u = 1.0 - luc_rng_uniform(rng); /* (0, 1]: the logarithm is finite */
    return sqrt(-2.0 * log(u)) * cos(two_pi * luc_rng_uniform(rng));
}

uint64_t luc_rng_below(struct luc_rng *rng, uint64_t n)
{
    const uint64_t least = (0 - n) % n; /* 2^64 mod n */
    uint64_t r;
    do
        r = luc_rng_bits(rng);
    while (r < least);
    return r % n;
}
