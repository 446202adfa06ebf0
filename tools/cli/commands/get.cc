#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asl/engine/artifact_copy.h>
#include <asl/engine/file_content.h>

#include "commands/open_store.h"
#include "commands/output_file.h"
#include "commands/output_sink.h"
#include "commands/references.h"
#include "json_out.h"
#include "text.h"

namespace asl::cli {
namespace {

class FileSink : public ContentSink {
 public:
  explicit FileSink(OutputFile& file) : file_(file), sink_(file.output()) {}
  Result<void> data(ByteSpan bytes) override { return sink_.data(bytes); }
  Result<void> zeros(std::uint64_t length) override { return file_.zeros(length); }

 private:
  OutputFile& file_;
  OutputSink sink_;
};

class Getter {
 public:
  Getter(Context& context, const ParsedOptions& options, const Domain& domain, ProgressCounters& progress)
      : context_(context),
        domain_(domain),
        progress_(progress),
        fill_gaps_(options.flag("fill-gaps")),
        raw_(options.flag("raw")),
        overwrite_(options.flag("overwrite")) {}

  // Writes the artifact, or the file whose partial it is, and returns the length.
  Result<std::uint64_t> write(const Reference& reference, ContentSink& sink) {
    ASL_ASSIGN(const Artifact artifact, domain_.find(reference));
    if (artifact.type_tag() != kTagPartial || raw_) {
      ASL_TRY(copy_artifact(artifact, sink, progress_, context_.stop));
      return artifact.length();
    }
    ASL_ASSIGN(const FileContent content, FileContent::open(domain_, reference));
    if (auto whole = content.require_whole(); !whole && !fill_gaps_)
      return fail(std::move(whole)
                      .error()
                      .with_object(to_text(reference))
                      .with_hint("asl get --fill-gaps gives zeros there, --raw the list of its parts"));
    ASL_TRY(copy_content(content, sink, progress_, context_.stop));
    return content.length();
  }

  Result<std::uint64_t> write_file(const Reference& reference, const std::string& path, bool sync) {
    ASL_ASSIGN(OutputFile file, OutputFile::create(path, {.overwrite = overwrite_, .sync = sync}));
    FileSink sink(file);
    ASL_ASSIGN(const std::uint64_t length, write(reference, sink));
    ASL_TRY(file.finish());
    progress_add(progress_.files_done, 1);
    return length;
  }

 private:
  Context& context_;
  const Domain& domain_;
  ProgressCounters& progress_;
  const bool fill_gaps_;
  const bool raw_;
  const bool overwrite_;
};

std::string name_in_directory(const Reference& reference) {
  return (reference.is_typed() ? "asl1-" : "") + to_hex(reference.digest);
}

bool is_directory(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// Makes the directory if it is not there, and all that was written in it durable at the end.
class TargetDirectory {
 public:
  static Result<TargetDirectory> open(const std::string& path) {
    if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST)
      return fail(system_error(errno, "cannot make the directory", path));
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail(system_error(errno, "cannot open the directory", path));
    return TargetDirectory(path, fd);
  }
  TargetDirectory(TargetDirectory&& other) noexcept
      : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  TargetDirectory& operator=(TargetDirectory&&) = delete;
  ~TargetDirectory() {
    if (fd_ >= 0) ::close(fd_);
  }

  std::string path_of(const std::string& name) const {
    return path_.ends_with('/') ? path_ + name : path_ + "/" + name;
  }
  Result<void> sync() const {
    if (::syncfs(fd_) != 0) return fail(system_error(errno, "cannot write", path_));
    return {};
  }

 private:
  TargetDirectory(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_;
};

class GetPrinter {
 public:
  explicit GetPrinter(Context& context) : context_(context) {
    if (context.json) list_.emplace(context.out, make_json("get"), "artifacts");
  }
  void written(const Reference& reference, const std::string& path, std::uint64_t length) {
    ++count_;
    bytes_ += length;
    if (list_) {
      Json row = Json::object();
      row["reference"] = to_text(reference);
      row["length"] = length;
      put_bytes(row, "path", path);
      print([&] { list_->add(row); });
    } else if (!context_.quiet) {
      print([&] { context_.out.line(fmt::format("{}  {}", to_text(reference), printable(path))); });
    }
  }
  void failed(const std::string& text, const Error& error) {
    if (!first_failure_) first_failure_ = error.code;
    context_.warn("not written: " + error.to_string());
    if (!list_) return;
    Json row = Json::object();
    put_bytes(row, "given", text);
    row["error"] = printable_message(error.to_string());
    print([&] { list_->add(row); });
  }
  int finish() {
    if (list_) {
      Json trailer = Json::object();
      trailer["artifact_count"] = count_;
      trailer["bytes"] = bytes_;
      list_->finish(trailer);
    }
    return first_failure_ ? exit_code(*first_failure_) : kExitOk;
  }

 private:
  template <typename Print>
  void print(const Print& print_it) {
    if (context_.progress == nullptr || !context_.out.is_terminal()) return print_it();
    context_.progress->aside([&] {
      print_it();
      static_cast<void>(context_.out.flush());  // a failure is kept and comes up at the end
    });
  }

  Context& context_;
  std::optional<JsonList> list_;
  std::optional<ErrorCode> first_failure_;
  std::uint64_t count_ = 0;
  std::uint64_t bytes_ = 0;
};

// Failures of one artifact; any other is everybody's.
bool concerns_one(ErrorCode code) {
  return code != ErrorCode::kNoSpace && code != ErrorCode::kInterrupted;
}

Result<int> get_to_directory(Context& context, const ParsedOptions& options, const Domain& domain,
                             const std::string& path) {
  GetPrinter printer(context);
  ProgressScope progress(context);
  progress.counters().set_phase(ProgressPhase::kRestoring);
  Getter getter(context, options, domain, progress.counters());
  ASL_ASSIGN(const TargetDirectory directory, TargetDirectory::open(path));
  const auto write = [&](const std::string& text) -> Result<void> {
    const auto reference = domain.resolve(text);
    const std::string file = reference ? directory.path_of(name_in_directory(*reference)) : "";
    const auto length = reference ? getter.write_file(*reference, file, false)
                                  : Result<std::uint64_t>(fail(reference.error()));
    if (length) {
      printer.written(*reference, file, *length);
      return {};
    }
    if (!concerns_one(length.error().code)) return fail(length.error());
    printer.failed(text, length.error());
    return {};
  };
  ASL_TRY(for_each_reference(options, write));
  ASL_TRY(directory.sync());
  return printer.finish();
}

Result<int> get_to_file(Context& context, const ParsedOptions& options, const Domain& domain,
                        const std::string& path) {
  ASL_ASSIGN(const Reference reference, domain.resolve(options.argument("REF")));
  Result<std::uint64_t> length;
  {
    ProgressScope progress(context);
    progress.counters().set_phase(ProgressPhase::kRestoring);
    length = Getter(context, options, domain, progress.counters()).write_file(reference, path, true);
  }
  ASL_TRY(length);
  GetPrinter printer(context);
  printer.written(reference, path, *length);
  return printer.finish();
}

Result<int> get_to_output(Context& context, const ParsedOptions& options, const Domain& domain) {
  if (context.json) return fail(ErrorCode::kUsage, "--json needs --to: standard output holds the bytes");
  if (options.flag("overwrite")) return fail(ErrorCode::kUsage, "--overwrite is about the files of --to");
  ProgressCounters unseen;
  Getter getter(context, options, domain, unseen);
  OutputSink sink(context.out);
  const auto write = [&](const std::string& text) -> Result<void> {
    ASL_ASSIGN(const Reference reference, domain.resolve(text));
    ASL_TRY(getter.write(reference, sink));
    return {};
  };
  ASL_TRY(for_each_reference(options, write));
  return kExitOk;
}

}  // namespace

Result<int> run_get(Context& context, const ParsedOptions& options) {
  if (options.flag("raw") && options.flag("fill-gaps"))
    return fail(ErrorCode::kUsage, "--raw and --fill-gaps exclude each other");
  ASL_ASSIGN(const OpenStore store, open_store(context));
  const auto to = options.text("to");
  if (!to) return get_to_output(context, options, *store.domain);
  const bool one = options.arguments("REF").size() == 1 && !options.has("files-from");
  if (one && !to->ends_with('/') && !is_directory(*to))
    return get_to_file(context, options, *store.domain, *to);
  return get_to_directory(context, options, *store.domain, *to);
}

}  // namespace asl::cli
