#include "sops/secret_tree.h"

#include <algorithm>
#include <cstring>
#include <sodium.h>

namespace asl::auth {
namespace {

// Counts first, writes then: protected memory does not grow.
class Output {
 public:
  explicit Output(SecretBytes* into) : into_(into) {}
  void put(std::string_view text) {
    if (into_ != nullptr && !text.empty()) std::memcpy(into_->data() + size_, text.data(), text.size());
    size_ += text.size();
  }
  std::size_t size() const { return size_; }

 private:
  SecretBytes* into_;
  std::size_t size_ = 0;
};

void put_text(Output& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  static constexpr std::string_view kShort = "\b\t\n\f\r";
  static constexpr std::string_view kLetters = "btnfr";
  out.put("\"");
  for (const char& c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.put("\\");
    } else if (const auto at = kShort.find(c); at != kShort.npos) {
      out.put("\\");
      out.put(kLetters.substr(at, 1));
      continue;
    } else if (code < 0x20) {
      const char escape[] = {'\\', 'u', '0', '0', kHex[code >> 4], kHex[code & 15]};
      out.put({escape, sizeof escape});
      continue;
    }
    out.put({&c, 1});
  }
  out.put("\"");
}

void put_tree(Output& out, const SecretTree& tree, std::string_view without) {
  if (tree.kind == SecretTree::Kind::kText) return put_text(out, tree.text);
  bool first = true;
  if (tree.kind == SecretTree::Kind::kList) {
    out.put("[");
    for (const SecretTree& item : tree.items) {
      if (!std::exchange(first, false)) out.put(",");
      put_tree(out, item, {});
    }
    return out.put("]");
  }
  std::vector<const std::pair<std::string, SecretTree>*> sorted;
  for (const auto& field : tree.fields)
    if (without.empty() || field.first != without) sorted.push_back(&field);
  std::ranges::sort(sorted, {}, [](const auto* field) { return std::string_view(field->first); });
  out.put("{");
  for (const auto* field : sorted) {
    if (!std::exchange(first, false)) out.put(",");
    put_text(out, field->first);
    out.put(":");
    put_tree(out, field->second, {});
  }
  out.put("}");
}

}  // namespace

const SecretTree* SecretTree::field(std::string_view name) const {
  const auto at =
      std::ranges::find(fields, name, [](const auto& entry) { return std::string_view(entry.first); });
  return at == fields.end() ? nullptr : &at->second;
}

std::string_view SecretTree::text_at(std::string_view path) const {
  const SecretTree* at = this;
  while (at != nullptr && !path.empty()) {
    const std::string_view name = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    at = at->field(name);
  }
  return at != nullptr && at->kind == Kind::kText ? at->text : std::string_view();
}

SecretBytes encode_canonical(const SecretTree& map, std::string_view without) {
  Output count(nullptr);
  put_tree(count, map, without);
  SecretBytes bytes(count.size());
  Output write(&bytes);
  put_tree(write, map, without);
  return bytes;
}

SecretBytes encode_base64_secret(ByteSpan bytes) {
  // libsodium ends it with a NUL.
  SecretBytes text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL));
  sodium_bin2base64(reinterpret_cast<char*>(text.raw()), text.size(),
                    reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  text.shrink(text.size() - 1);
  return text;
}

SecretBytes decode_base64_secret(std::string_view text, std::size_t size) {
  SecretBytes bytes(size);
  std::size_t got = 0;
  if (sodium_base642bin(bytes.raw(), bytes.size(), text.data(), text.size(), nullptr, &got, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0 ||
      got != size || !equal_secrets(encode_base64_secret(bytes.span()).span(), as_bytes(text)))
    return {};
  return bytes;
}

}  // namespace asl::auth
