/* profile.h -- what each layer of a network took, as a table: `lucida run METHOD ... --profile`.
 *
 * Steps of the same name, operator, direction and shape are added up, however many executors they
 * belong to. GFLOP/s count a convolution by its direct sum; a gradient counts as one forward.
 */
#ifndef SERVER_COMMANDS_PROFILE_H
#define SERVER_COMMANDS_PROFILE_H

#include "core/graph/exec.h"

#include <stdio.h>

struct srv_profile_row;
struct srv_profile {
    struct srv_profile_row *rows; /* heap */
    size_t n, cap;
    bool short_of_memory; /* steps are missing */
};

/* A luc_probe's step, its ctx being the profile: from one thread at a time. */
void srv_profile_step(void *profile, const struct luc_timing *timing);
/* Rows in the order they first ran, then the sum. */
void srv_profile_print(const struct srv_profile *p, FILE *to);
void srv_profile_done(struct srv_profile *p);

#endif
