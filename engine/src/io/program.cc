#include "io/program.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "io/system.h"

namespace asl::io {
namespace {

// Where Debian and those who build ZFS themselves put such programs; a user's PATH often lacks sbin.
constexpr std::array<const char*, 6> kProgramDirectories = {"/usr/sbin", "/sbin", "/usr/local/sbin",
                                                            "/usr/bin",  "/bin",  "/usr/local/bin"};

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

struct Pipe {
  Descriptor reader;
  Descriptor writer;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(system_error(errno, "cannot make a pipe"));
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

Result<std::string> find_program(const std::string& name) {
  for (const char* directory : kProgramDirectories) {
    std::string path = std::string(directory) + "/" + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return fail(
      Error{.code = ErrorCode::kUnsupported, .message = "the program is not installed", .object = name});
}

// The child has nothing of ours but the pipes: every signal in its default state, an environment of its own.
Result<pid_t> spawn(const std::string& path, std::vector<std::string> words, const Pipe& out,
                    const Pipe& err) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  // Neither can fail in glibc; what is added to them can, for want of memory.
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  int error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, out.writer.get(), STDOUT_FILENO);
  if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, err.writer.get(), STDERR_FILENO);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::string locale = "LC_ALL=C";
  std::string places = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char* const environment[] = {locale.data(), places.data(), nullptr};
  pid_t pid = -1;
  if (error == 0)
    error = ::posix_spawn(&pid, path.c_str(), &actions, &attributes, arguments.data(), environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail(system_error(error, "cannot start the program", path));
  return pid;
}

struct Stream {
  Descriptor* source;
  std::string* text;
};

Result<void> take_some(const Stream& stream) {
  std::array<char, 16384> buffer;
  const auto got =
      retry_interrupted([&] { return ::read(stream.source->get(), buffer.data(), buffer.size()); });
  if (got < 0) return fail(system_error(errno, "cannot read what a program prints"));
  if (got == 0) {
    stream.source->close();
    return {};
  }
  stream.text->append(buffer.data(), static_cast<std::size_t>(got));
  if (stream.text->size() > kProgramOutputMax) return fail(ErrorCode::kIo, "a program prints without end");
  return {};
}

Result<void> take_output(std::array<Stream, 2> streams) {
  while (streams[0].source->get() >= 0 || streams[1].source->get() >= 0) {
    std::array<pollfd, 2> waits{};
    for (std::size_t k = 0; k < streams.size(); ++k)
      waits[k] = {.fd = streams[k].source->get(), .events = POLLIN, .revents = 0};
    if (retry_interrupted([&] { return ::poll(waits.data(), waits.size(), -1); }) < 0)
      return fail(system_error(errno, "cannot wait for a program"));
    for (std::size_t k = 0; k < streams.size(); ++k) {
      if (waits[k].revents != 0) ASL_TRY(take_some(streams[k]));
    }
  }
  return {};
}

Result<int> wait_for(pid_t pid) {
  int status = 0;
  if (retry_interrupted([&] { return ::waitpid(pid, &status, 0); }) < 0)
    return fail(system_error(errno, "cannot wait for a program"));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class SystemPrograms final : public ProgramRunner {
 public:
  Result<ProgramOutcome> run(const std::string& name, const std::vector<std::string>& arguments) override {
    ASL_ASSIGN(const std::string path, find_program(name));
    ASL_ASSIGN(Pipe out, make_pipe());
    ASL_ASSIGN(Pipe err, make_pipe());
    std::vector<std::string> words{name};
    words.insert(words.end(), arguments.begin(), arguments.end());
    ASL_ASSIGN(const pid_t pid, spawn(path, std::move(words), out, err));
    out.writer.close();
    err.writer.close();
    ProgramOutcome outcome;
    const auto taken = take_output({Stream{&out.reader, &outcome.out}, Stream{&err.reader, &outcome.err}});
    // Closed pipes end a program that still prints, so the wait for it ends too.
    out.reader.close();
    err.reader.close();
    ASL_ASSIGN(outcome.exit_status, wait_for(pid));
    ASL_TRY(taken);
    return outcome;
  }
};

}  // namespace

ProgramRunner& system_programs() {
  static SystemPrograms programs;
  return programs;
}

bool is_superuser() {
  return ::geteuid() == 0;
}

}  // namespace asl::io
