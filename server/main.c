#include "server/commands/command.h"
#include "server/services.h"

int main(int argc, char **argv)
{
    srv_blas_start(argv);
    return srv_main(argc, argv);
}
