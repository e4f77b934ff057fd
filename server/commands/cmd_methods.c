#include "api/api.h"
#include "server/commands/command.h"
#include "server/commands/method_help.h"

#include <stdio.h>

int srv_cmd_methods(int argc, char **argv)
{
    if (srv_wants_help("methods", argc, argv))
        return 0;
    if (argc > 2)
        return srv_complain("methods", "at most one name is understood", 2);
    if (argc == 2) {
        const struct api_method *what = api_method_find(argv[1]);
        if (!what)
            return srv_complain("methods", "no such method; `lucida methods` lists them", 1);
        srv_method_help(what);
        return 0;
    }
    for (size_t i = 0; api_method_at(i); i++) {
        const struct api_method *what = api_method_at(i);
        printf("%-20s %-10s %s\n", what->method->name, what->tag, what->method->summary);
    }
    return 0;
}
