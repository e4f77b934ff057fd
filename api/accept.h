/* accept.h -- which of several media types a client wants (RFC 9110, section 12.5.1). */
#ifndef API_ACCEPT_H
#define API_ACCEPT_H

#include <stddef.h>

/* Index of the best of types[0..n), which stand in the server's order of preference; n when none is
 * acceptable. `accept` NULL or empty: the first. */
size_t api_accept_best(const char *accept, const char *const *types, size_t n);

#endif
