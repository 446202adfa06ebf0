#include <algorithm>
#include <array>
#include <fmt/format.h>

#include <asl/auth/text_rules.h>

#include "sops/sops_file.h"
#include "sops/sops_mac.h"

namespace asl::auth {
namespace {

constexpr std::string_view kIndent = "    ";
// The oldest whose metadata are like this; what reads it is as new, or newer.
constexpr std::string_view kVersion = "3.9.0";

Result<std::string> seal_data_key(const SecretBytes& key, const AgeRecipient& recipient) {
  std::size_t given = 0;
  const ByteSource source = [&](MutableByteSpan into) -> Result<std::size_t> {
    const std::size_t take = std::min(key.size() - given, into.size());
    std::ranges::copy(key.span().subspan(given, take), into.begin());
    given += take;
    return take;
  };
  std::string text;
  const ByteSink sink = [&text](ByteSpan bytes) -> Result<void> {
    text += as_text(bytes);
    return {};
  };
  ASL_TRY(encrypt_age(source, sink, {&recipient, 1}, random_age_values(1), true));
  return text;
}

// YAML, line by line; every scalar double-quoted, so that any reader agrees that it is text.
class Writer {
 public:
  Writer(const SecretBytes& key, const SopsSelection& selected) : key_(key), selected_(selected) {}

  Result<void> map(const SecretTree& tree, std::size_t depth) {
    for (const auto& [name, value] : tree.fields) {
      path_.push_back(name);
      for (std::size_t i = 0; i < depth; ++i) out_ += kIndent;
      out_ += name + ":";
      if (value.kind == SecretTree::Kind::kText) {
        out_ += ' ';
        ASL_TRY(text(value));
      } else if (value.kind == SecretTree::Kind::kMap) {
        if (value.fields.empty()) return fail(ErrorCode::kMalformed, "a map without fields: " + name);
        out_ += '\n';
        ASL_TRY(map(value, depth + 1));
      } else {
        ASL_TRY(list(value, depth + 1));
      }
      path_.pop_back();
    }
    return {};
  }

  std::string mac() { return mac_.finish(); }
  std::string take() { return std::move(out_); }

 private:
  Result<void> list(const SecretTree& tree, std::size_t depth) {
    out_ += tree.items.empty() ? " []\n" : "\n";
    for (const SecretTree& item : tree.items) {
      for (std::size_t i = 0; i < depth; ++i) out_ += kIndent;
      out_ += "- ";
      if (item.kind != SecretTree::Kind::kText)
        return fail(ErrorCode::kMalformed, "a list of other than texts");
      ASL_TRY(text(item));
    }
    return {};
  }

  Result<void> text(const SecretTree& leaf) {
    if (leaf.text.empty()) return fail(ErrorCode::kMalformed, "an empty text: SOPS would leave it in clear");
    mac_.add(leaf.text);
    if (selected_(path_)) {
      const auto value = encrypt_enc_value(as_bytes(leaf.text), leaf.type, key_, sops_additional_data(path_));
      out_ += '"' + to_text(value) + "\"\n";
      return {};
    }
    if (!is_identifier(leaf.text) || leaf.text.find_first_of("\"\\") != leaf.text.npos)
      return fail(ErrorCode::kMalformed, "a clear text that is not printable");
    out_ += fmt::format("\"{}\"\n", leaf.text);
    return {};
  }

  const SecretBytes& key_;
  const SopsSelection& selected_;
  std::string out_;
  std::vector<std::string> path_;
  SopsMac mac_;
};

}  // namespace

std::string SopsMac::finish() {
  std::array<unsigned char, crypto_hash_sha512_BYTES> hash{};
  crypto_hash_sha512_final(&state_, hash.data());
  std::string hex;
  for (const unsigned char byte : hash) hex += fmt::format("{:02X}", byte);
  return hex;
}

std::string sops_additional_data(std::span<const std::string> path) {
  std::string text;
  for (const std::string& key : path) text += key + ":";
  return text;
}

Result<std::string> encrypt_sops(const SecretTree& tree, const SopsPlan& plan) {
  start_crypto();
  const SecretBytes key = random_secret(kSopsKeySize);
  Writer writer(key, plan.selected);
  ASL_TRY(writer.map(tree, 0));
  const std::string mac = writer.mac();
  std::string out = writer.take() + "sops:\n    age:\n";
  for (const AgeRecipient& recipient : plan.recipients) {
    ASL_ASSIGN(std::string seal, seal_data_key(key, recipient));
    out += fmt::format("        - recipient: \"{}\"\n          enc: |\n", to_text(recipient));
    for (std::string_view rest = seal; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      out += fmt::format("            {}\n", line);
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    }
  }
  const auto sealed = encrypt_enc_value(as_bytes(mac), SopsType::kText, key, plan.last_modified);
  out += fmt::format(
      "    encrypted_regex: \"{}\"\n    lastmodified: \"{}\"\n    mac: \"{}\"\n    version: \"{}\"\n",
      plan.encrypted_regex, plan.last_modified, to_text(sealed), kVersion);
  if (out.size() > kSopsFileMax)
    return fail(ErrorCode::kMalformed,
                fmt::format("the SOPS file would have more than {} bytes", kSopsFileMax));
  return out;
}

}  // namespace asl::auth
