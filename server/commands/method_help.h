/* method_help.h -- a method and its parameters, for a terminal. */
#ifndef SERVER_COMMANDS_METHOD_HELP_H
#define SERVER_COMMANDS_METHOD_HELP_H

#include "api/api.h"

void srv_method_help(const struct api_method *what);

#endif
