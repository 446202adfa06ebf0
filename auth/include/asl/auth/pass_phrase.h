// Where pass phrases come from: a terminal without echo, a file, a descriptor. Never from arguments or the
// environment, which every process of the user can read.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <asl/auth/secret.h>
#include <asl/engine/error.h>

namespace asl::auth {

struct PassPhraseSource {
  std::string file;     // read from this file, if not empty
  int descriptor = -1;  // else from this descriptor, if not negative; else from the terminal
};

enum class PassPhraseUse : std::uint8_t {
  kOpen,    // asked for once
  kChoose,  // asked for twice on a terminal, and must not be empty
};

// The phrase: UTF-8, at most kPassPhraseMax bytes, less one final line feed. `stop` is looked at whenever a
// signal interrupts the wait for a terminal; kInterrupted then. The terminal's echo is on again on return.
Result<SecretBytes> read_pass_phrase(const PassPhraseSource& source, PassPhraseUse use,
                                     std::string_view prompt, const std::function<bool()>& stop);

// The bytes of a file or pipe, in protected memory; kMalformed above `size_max`.
Result<SecretBytes> read_secret_file(const std::string& path, std::size_t size_max);

// Shows `prompt` on the terminal and reads one line, visibly; kUsage if there is no terminal.
Result<std::string> ask_terminal(std::string_view prompt, const std::function<bool()>& stop);
// Shows text on the terminal itself, never on a redirected output.
Result<void> tell_terminal(std::string_view text);

}  // namespace asl::auth
