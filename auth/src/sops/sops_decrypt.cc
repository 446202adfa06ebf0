#include <algorithm>
#include <fmt/format.h>
#include <sodium.h>

#include "sops/sops_file.h"
#include "sops/sops_mac.h"

namespace asl::auth {
namespace {

std::unexpected<Error> wrong_value(ErrorCode code, std::span<const std::string> path, std::string_view why) {
  return fail(code, fmt::format("SOPS value {}: {}", fmt::join(path, "."), why));
}

// What one recipient's age file holds: the data key, exactly.
Result<SecretBytes> open_seal(const SopsSeal& seal, const AgeIdentity& identity) {
  std::string_view rest = seal.enc;
  const ByteSource source = [&rest](MutableByteSpan into) -> Result<std::size_t> {
    const std::size_t take = std::min(rest.size(), into.size());
    std::ranges::copy(as_bytes(rest.substr(0, take)), into.begin());
    rest.remove_prefix(take);
    return take;
  };
  SecretBytes key(kSopsKeySize);
  std::size_t size = 0;
  const ByteSink sink = [&](ByteSpan bytes) -> Result<void> {
    if (bytes.size() > kSopsKeySize - std::min(size, kSopsKeySize))
      return fail(ErrorCode::kMalformed, "the data key of the SOPS file has more than 32 bytes");
    std::ranges::copy(bytes, key.data() + size);
    size += bytes.size();
    return {};
  };
  ASL_TRY(decrypt_age(source, sink, {.identities = {&identity, 1}}, {.armor = AgeArmor::kYes}));
  if (size != kSopsKeySize)
    return fail(ErrorCode::kMalformed, "the data key of the SOPS file has fewer than 32 bytes");
  return key;
}

Result<SecretBytes> open_data_key(const SopsFile& file, std::span<const AgeIdentity> identities) {
  for (const AgeIdentity& identity : identities) {
    const auto seal = std::ranges::find(file.seals, identity.recipient(), &SopsSeal::recipient);
    if (seal != file.seals.end()) return open_seal(*seal, identity);
  }
  return fail(Error{.code = ErrorCode::kRefused,
                    .message = "no identity opens the SOPS file: it is for other recipients",
                    .hint = "an identity file of one of its recipients (sops.age in the file)"});
}

bool is_canonical(SopsType type, std::string_view text) {
  if (type == SopsType::kBoolean) return text == "True" || text == "False";
  if (type != SopsType::kInteger) return true;
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || digits.size() > 19 || (digits.front() == '0' && text != "0")) return false;
  return std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
}

std::size_t scalar_bytes(const YamlNode& node) {
  std::size_t size = node.scalar.size();
  for (const YamlNode& item : node.items) size += scalar_bytes(item);
  for (const auto& [name, value] : node.fields) size += scalar_bytes(value);
  return size;
}

class Decryptor {
 public:
  Decryptor(const SopsFile& file, const SecretBytes& key, const SopsSelection& selected)
      : key_(key), selected_(selected), memory_(scalar_bytes(file.tree)) {}

  Result<SecretTree> tree(const YamlNode& node) {
    SecretTree tree;
    switch (node.kind) {
      case YamlNode::Kind::kMap:
        for (const auto& [name, value] : node.fields) {
          path_.push_back(name);
          ASL_ASSIGN(SecretTree below, this->tree(value));
          tree.fields.emplace_back(name, std::move(below));
          path_.pop_back();
        }
        return tree;
      case YamlNode::Kind::kList:
        tree.kind = SecretTree::Kind::kList;
        for (const YamlNode& item : node.items) {
          ASL_ASSIGN(SecretTree below, this->tree(item));
          tree.items.push_back(std::move(below));
        }
        return tree;
      case YamlNode::Kind::kScalar:
        break;
    }
    return text(node);
  }

  std::string mac() { return mac_.finish(); }
  SecretBytes take_memory() { return std::move(memory_); }

 private:
  Result<SecretTree> text(const YamlNode& node) {
    SecretTree leaf{.kind = SecretTree::Kind::kText};
    if (!selected_(path_)) {
      if (node.scalar.starts_with("ENC["))
        return wrong_value(ErrorCode::kMalformed, path_, "sealed, where the selection rule leaves it clear");
      std::ranges::copy(as_bytes(node.scalar), memory_.data() + used_);
      leaf.text = as_text({memory_.data() + used_, node.scalar.size()});
      used_ += node.scalar.size();
    } else {
      const auto value = parse_enc_value(node.scalar);
      if (!value) return wrong_value(value.error().code, path_, value.error().message);
      const MutableByteSpan into(memory_.data() + used_, value->data.size());
      if (auto opened = decrypt_enc_value(*value, key_, sops_additional_data(path_), into); !opened)
        return wrong_value(opened.error().code, path_, opened.error().message);
      used_ += into.size();
      leaf.text = as_text(into);
      leaf.type = value->type;
      if (!is_canonical(leaf.type, leaf.text))
        return wrong_value(ErrorCode::kMalformed, path_, "not as a value of its type is written");
    }
    mac_.add(leaf.text);
    return leaf;
  }

  const SecretBytes& key_;
  const SopsSelection& selected_;
  SecretBytes memory_;  // a value is never longer than its sealed text
  std::size_t used_ = 0;
  std::vector<std::string> path_;
  SopsMac mac_;
};

Result<void> check_mac(const SopsFile& file, const SecretBytes& key, std::string_view computed) {
  const auto value = parse_enc_value(file.mac);
  if (!value) return fail(value.error().code, "SOPS MAC: " + value.error().message);
  SecretBytes mac(value->data.size());
  if (value->type != SopsType::kText || mac.size() != computed.size())
    return fail(ErrorCode::kMalformed, "SOPS MAC: not a text of 128 hex digits");
  if (!decrypt_enc_value(*value, key, file.last_modified, mac.span()))
    return fail(ErrorCode::kIntegrity, "SOPS MAC: it, or sops.lastmodified, was changed");
  if (!equal_secrets(mac.span(), as_bytes(computed)))
    return fail(ErrorCode::kIntegrity, "SOPS MAC: a value was changed, moved, added or left out");
  return {};
}

}  // namespace

Result<SopsPlaintext> decrypt_sops(const SopsFile& file, std::span<const AgeIdentity> identities,
                                   const SopsSelection& selected) {
  start_crypto();
  ASL_ASSIGN(const SecretBytes key, open_data_key(file, identities));
  Decryptor decryptor(file, key, selected);
  SopsPlaintext plaintext;
  ASL_ASSIGN(plaintext.tree, decryptor.tree(file.tree));
  ASL_TRY(check_mac(file, key, decryptor.mac()));
  plaintext.memory = decryptor.take_memory();
  return plaintext;
}

}  // namespace asl::auth
