#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

#include <asl/auth/canonical_json.h>
#include <asl/auth/files.h>
#include <asl/engine/io.h>

namespace asl::auth {
namespace {

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> write_beside(io::Io& io, const std::string& temporary, std::string_view text, FileMode mode) {
  ASL_ASSIGN(const io::File file, io.open(temporary, {.create_new = true, .no_follow = true}));
  if (mode == FileMode::kPublic) {
    // Created private; the umask has its say as for any other file.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(file.fd(), 0644 & ~mask) != 0)
      return fail(system_error(errno, "cannot set the mode", temporary));
  }
  ASL_TRY(io.write(file, as_bytes(text), 0));
  return io.sync(file);
}

Result<void> place(const std::string& path, std::string_view text, FileMode mode, bool replace) {
  const auto io = io::make_plain_io();
  const std::string temporary = path + ".new-" + std::to_string(::getpid());
  auto written = write_beside(*io, temporary, text, mode);
  if (written) written = io->rename(temporary, path, replace);
  if (written) return io->sync_directory(parent_of(path));
  // The first failure is what matters.
  (void)io->remove(temporary);
  if (!replace && written.error().sys_errno == EEXIST)
    return fail(Error{.code = ErrorCode::kRefused, .message = "a file of this name exists", .path = path});
  return written;
}

Error at_path(Error error, const std::string& path) {
  if (error.path.empty()) error.path = path;
  return error;
}

}  // namespace

Result<std::string> read_text_file(const std::string& path, std::size_t size_max) {
  const auto io = io::make_plain_io();
  ASL_ASSIGN(const Bytes bytes, io::read_file(*io, path, size_max));
  return std::string(as_text(bytes));
}

Result<void> write_new_file(const std::string& path, std::string_view text, FileMode mode) {
  return place(path, text, mode, false);
}

Result<void> replace_text_file(const std::string& path, std::string_view text, FileMode mode) {
  return place(path, text, mode, true);
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  const auto io = io::make_plain_io();
  ASL_TRY(io->rename(from, to, true));
  return io->sync_directory(parent_of(to));
}

Result<void> remove_file(const std::string& path) {
  return io::make_plain_io()->remove(path);
}

Result<Envelope> read_envelope_file(const std::string& path) {
  ASL_ASSIGN(const std::string text, read_text_file(path, kCanonicalSizeMaxLists));
  auto envelope = decode_envelope(text);
  if (!envelope) return fail(at_path(std::move(envelope).error(), path));
  return envelope;
}

Result<std::string> read_envelope_lines(std::span<const std::string> paths, std::size_t size_max) {
  std::string lines;
  for (const std::string& path : paths) {
    ASL_ASSIGN(const std::string text, read_text_file(path, size_max));
    lines += text;
    if (!lines.ends_with('\n')) lines += '\n';
    if (lines.size() > size_max)
      return fail(Error{.code = ErrorCode::kMalformed, .message = "too many envelopes", .path = path});
  }
  return lines;
}

Result<PublicKeyFile> read_public_key_file(const std::string& path) {
  ASL_ASSIGN(const std::string text, read_text_file(path, kPublicKeyFileMax));
  auto file = decode_public_key_file(text);
  if (!file) return fail(at_path(std::move(file).error(), path));
  return file;
}

Result<void> write_envelope_file(const std::string& path, const Envelope& envelope) {
  const auto io = io::make_plain_io();
  if (!io::exists(*io, path)) return write_new_file(path, encode_envelope(envelope), FileMode::kPublic);
  ASL_ASSIGN(const Envelope before, read_envelope_file(path));
  if (auto superset = check_superset(before, envelope); !superset)
    return fail(at_path(std::move(superset).error(), path));
  return replace_text_file(path, encode_envelope(envelope), FileMode::kPublic);
}

}  // namespace asl::auth
