#include "commands/handlers.h"
#include "table/asl_table.h"

int main(int argc, char** argv) {
  const auto handlers = asl::cli::asl_handlers();
  return asl::cli::run_main(asl::cli::linked_program(asl::cli::asl_table(), handlers), handlers, argc, argv);
}
