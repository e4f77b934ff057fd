/* listen.h -- an address as people write it, as a listening socket or a connection. */
#ifndef SERVER_HTTP_LISTEN_H
#define SERVER_HTTP_LISTEN_H

#include "core/base/status.h"

#include <stdbool.h>

#define SRV_ADDRESS_MAX 128

/* "127.0.0.1:8080", "[::1]:8080", "localhost:0". On LUC_OK *fd listens and `address` says where.
 * LUC_INVALID: not an address, or one that other machines reach while `loopback_only`. LUC_IO. */
LUC_MUST_USE enum luc_status srv_listen(const char *text, bool loopback_only, int *fd,
                                        char address[SRV_ADDRESS_MAX], struct luc_error *err);

/* Connects to such an address, waiting up to `seconds` here and in each read and write after. */
LUC_MUST_USE enum luc_status srv_connect(const char *text, int seconds, int *fd,
                                         struct luc_error *err);

#endif
