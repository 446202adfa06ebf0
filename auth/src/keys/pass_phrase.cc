#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <asl/auth/key_file.h>
#include <asl/auth/pass_phrase.h>
#include <asl/auth/text_rules.h>

namespace asl::auth {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

// Turns the echo of a terminal off while it lives.
class NoEcho {
 public:
  explicit NoEcho(int fd) : fd_(fd) {
    if (::tcgetattr(fd, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    quiet.c_lflag |= ICANON | ISIG;
    active_ = ::tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() {
    if (active_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  bool active() const { return active_; }

 private:
  int fd_;
  termios before_{};
  bool active_ = false;
};

// A signal that comes between a look at the stop token and read() would not end that read: it is waited in
// pieces of this size.
constexpr int kWaitMs = 100;

Result<void> wait_readable(int fd, const std::function<bool()>& stop) {
  for (;;) {
    if (stop()) return fail(ErrorCode::kInterrupted, "interrupted while waiting for the pass phrase");
    pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&wanted, 1, kWaitMs);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail(system_error(errno, "cannot wait for the pass phrase"));
  }
}

// Up to the end, or through the first line feed where `line` is set; at most `size_max` bytes.
Result<SecretBytes> read_some(int fd, std::size_t size_max, bool line, const std::function<bool()>& stop) {
  SecretBytes bytes(size_max);
  std::size_t size = 0;
  while (size < bytes.size()) {
    ASL_TRY(wait_readable(fd, stop));
    // A pipe may carry more than one line: it is read byte by byte.
    const ssize_t got = ::read(fd, bytes.data() + size, line ? 1 : bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error(errno, "cannot read the pass phrase"));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    if (line && bytes.data()[size - 1] == std::byte{'\n'}) break;
  }
  bytes.shrink(size);
  return bytes;
}

Result<SecretBytes> read_phrase(int fd, bool line, const std::function<bool()>& stop) {
  // A final line feed, and one byte more to see that it is too long.
  ASL_ASSIGN(SecretBytes phrase, read_some(fd, kPassPhraseMax + 2, line, stop));
  std::size_t size = phrase.size();
  if (size > 0 && phrase.data()[size - 1] == std::byte{'\n'}) --size;
  phrase.shrink(size);
  if (size > kPassPhraseMax)
    return fail(ErrorCode::kMalformed, fmt::format("the pass phrase has more than {} bytes", kPassPhraseMax));
  if (!is_utf8_text(as_text(phrase.span())))
    return fail(ErrorCode::kMalformed, "the pass phrase is not UTF-8");
  return phrase;
}

Result<void> say(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail(system_error(errno, "cannot write to the terminal"));
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<SecretBytes> ask(int terminal, std::string_view prompt, const std::function<bool()>& stop) {
  const NoEcho quiet(terminal);
  if (!quiet.active()) return fail(system_error(errno, "cannot turn the terminal's echo off"));
  ASL_TRY(say(terminal, fmt::format("{}: ", prompt)));
  auto phrase = read_phrase(terminal, true, stop);
  ASL_TRY(say(terminal, "\n"));
  return phrase;
}

int open_terminal() {
  return ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

Result<SecretBytes> read_terminal(PassPhraseUse use, std::string_view prompt,
                                  const std::function<bool()>& stop) {
  const Descriptor terminal(open_terminal());
  if (terminal.fd() < 0)
    return fail(Error{.code = ErrorCode::kUsage,
                      .message = "there is no terminal to ask for a pass phrase",
                      .hint = "--pass-file FILE or --pass-fd N"});
  ASL_ASSIGN(SecretBytes phrase, ask(terminal.fd(), prompt, stop));
  if (use == PassPhraseUse::kOpen) return phrase;
  ASL_ASSIGN(const SecretBytes again, ask(terminal.fd(), fmt::format("{}, again", prompt), stop));
  if (!equal_secrets(phrase.span(), again.span()))
    return fail(ErrorCode::kUsage, "the two pass phrases differ");
  return phrase;
}

Result<SecretBytes> read_from(const PassPhraseSource& source, PassPhraseUse use, std::string_view prompt,
                              const std::function<bool()>& stop) {
  if (!source.file.empty()) {
    const Descriptor file(::open(source.file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (file.fd() < 0) return fail(system_error(errno, "cannot open the pass phrase file", source.file));
    return read_phrase(file.fd(), false, stop);
  }
  if (source.descriptor >= 0) return read_phrase(source.descriptor, true, stop);
  return read_terminal(use, prompt, stop);
}

}  // namespace

Result<SecretBytes> read_pass_phrase(const PassPhraseSource& source, PassPhraseUse use,
                                     std::string_view prompt, const std::function<bool()>& stop) {
  ASL_ASSIGN(SecretBytes phrase, read_from(source, use, prompt, stop));
  if (use == PassPhraseUse::kChoose && phrase.empty())
    return fail(ErrorCode::kUsage, "the pass phrase is empty");
  return phrase;
}

Result<SecretBytes> read_secret_file(const std::string& path, std::size_t size_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (file.fd() < 0) return fail(system_error(errno, "cannot open", path));
  ASL_ASSIGN(SecretBytes bytes, read_some(file.fd(), size_max + 1, false, [] { return false; }));
  if (bytes.size() > size_max)
    return fail(Error{.code = ErrorCode::kMalformed,
                      .message = fmt::format("the file has more than {} bytes", size_max),
                      .path = path});
  return bytes;
}

Result<std::string> ask_terminal(std::string_view prompt, const std::function<bool()>& stop) {
  const Descriptor terminal(open_terminal());
  if (terminal.fd() < 0) return fail(ErrorCode::kUsage, "there is no terminal to ask at");
  ASL_TRY(say(terminal.fd(), prompt));
  ASL_ASSIGN(const SecretBytes line, read_phrase(terminal.fd(), true, stop));
  return std::string(as_text(line.span()));
}

Result<void> tell_terminal(std::string_view text) {
  const Descriptor terminal(open_terminal());
  if (terminal.fd() < 0) return fail(ErrorCode::kUsage, "there is no terminal to show it on");
  return say(terminal.fd(), text);
}

}  // namespace asl::auth
