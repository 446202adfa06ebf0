#include "commands/handlers.h"
#include "table/auth_host_table.h"

int main(int argc, char** argv) {
  const auto handlers = asl::cli::auth_host_handlers();
  return asl::cli::run_main(asl::cli::linked_program(asl::cli::auth_host_table(), handlers), handlers, argc,
                            argv);
}
