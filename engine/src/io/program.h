// Running another program to its end, without a shell.
#pragma once

#include <string>
#include <vector>

#include <asl/engine/error.h>

namespace asl::io {

struct ProgramOutcome {
  int exit_status = 0;  // 128 + the signal's number if one ended it, as a shell has it
  std::string out;
  std::string err;
};

// The seam through which file-system tools are called, so that tests can stand in for them.
class ProgramRunner {
 public:
  virtual ~ProgramRunner() = default;
  // Runs `name` (a file name, no path) with `arguments` and waits for its end; nothing is on its standard
  // input and it speaks the C locale. An exit status other than 0 is an outcome, not an error. kUnsupported
  // if the program is not installed, kIo if it cannot be started or prints more than kProgramOutputMax.
  virtual Result<ProgramOutcome> run(const std::string& name, const std::vector<std::string>& arguments) = 0;
};

inline constexpr std::size_t kProgramOutputMax = 64 << 20;  // a hundred thousand long names fit many times

// Looks in the system's own directories only (kProgramDirectories in program.cc), never in $PATH: these
// programs are run by root. Thread-safe.
ProgramRunner& system_programs();

// Whether this process may do what only the superuser may.
bool is_superuser();

}  // namespace asl::io
