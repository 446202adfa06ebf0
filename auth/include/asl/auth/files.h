// Small files beside a store: keys, envelopes, objects. Every write is durable on return.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <asl/auth/envelope.h>
#include <asl/engine/error.h>

namespace asl::auth {

enum class FileMode : std::uint8_t { kPrivate, kPublic };  // 0600; 0644 less the umask

// kMalformed, naming the path, if it is longer than `size_max`.
Result<std::string> read_text_file(const std::string& path, std::size_t size_max);
// Appears whole or not at all; kRefused if something of that name exists.
Result<void> write_new_file(const std::string& path, std::string_view text, FileMode mode);
// Either the old content or the new is there at any moment. One writer at a time.
Result<void> replace_text_file(const std::string& path, std::string_view text, FileMode mode);
// `to` is replaced if it exists.
Result<void> rename_file(const std::string& from, const std::string& to);
Result<void> remove_file(const std::string& path);

// Envelope files hold the envelope and nothing after it.
Result<Envelope> read_envelope_file(const std::string& path);
// One or more envelopes: one a line, in one file or in several; the last line of a file may lack its end.
Result<std::string> read_envelope_lines(std::span<const std::string> paths, std::size_t size_max);
// Writes a new file, or replaces one by a superset of its signatures (rule signature-superset).
Result<void> write_envelope_file(const std::string& path, const Envelope& envelope);

Result<PublicKeyFile> read_public_key_file(const std::string& path);

}  // namespace asl::auth
