#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

#include <asl/auth/rules.h>

namespace asl::auth {
namespace {

constexpr auto kMalformed = ErrorCode::kMalformed;
constexpr auto kIntegrity = ErrorCode::kIntegrity;
constexpr auto kRefused = ErrorCode::kRefused;

constexpr RuleSpec kRules[] = {
    {"object-fields", kMalformed, "An object has exactly the fields of its kind."},
    {"object-value", kMalformed, "Every field holds a value of its type and range."},
    {"object-set", kMalformed, "A list that is a set is sorted by bytes and holds nothing twice."},
    {"signature-valid", kIntegrity,
     "A signature by a known key is that key's signature over these bytes; one that is not makes the whole "
     "envelope worthless."},
    {"signature-once", kRefused, "A key signs an object once, and an envelope holds at most 16 signatures."},
    {"signature-superset", kRefused,
     "An envelope is replaced only by one over the same object that has all of its signatures."},
    {"signer-class", kRefused,
     "A key signs only the kinds of its class: offline roots certify, domain roots sign manifests and "
     "requests "
     "to be admitted, operational keys sign everything else."},
    {"dam-domain", kIntegrity, "A manifest's domain id is made from its genesis key."},
    {"dam-first", kIntegrity,
     "Version 1 has no previous manifest and the genesis key as its root key; every later version names the "
     "one before it."},
    {"dam-principal", kIntegrity,
     "A principal's id is its key's id, it holds at least one role, and its key is not the root key."},
    {"dam-link", kIntegrity,
     "A manifest follows its predecessor by one version, names its hash, and keeps domain id and genesis "
     "key."},
    {"dam-signed", kRefused,
     "A manifest is signed by the root key of the version before it, and by its own where that is another; "
     "version 1 by the genesis key."},
    {"policy-hash", kIntegrity, "A policy is the one whose hash is named."},
    {"certificate-subject", kIntegrity,
     "A certificate for a domain root names the domain and no roles; one for a principal names its key's id "
     "and at least one role."},
    {"certificate-issuer", kIntegrity, "A certificate names the root set that issued it by its hash."},
    {"certificate-possession", kRefused,
     "A certificate request is signed by the domain's root key: whoever asks holds it."},
    {"certificate-match", kRefused,
     "A certificate, and a request for one, says what the domain's manifest says."},
    {"root-set-threshold", kIntegrity, "A root set has 1 to 3 keys and a threshold from 1 to their number."},
    {"root-set-link", kIntegrity,
     "A root set follows its predecessor by one version and names its hash; version 1 names none."},
    {"root-set-signed", kRefused,
     "A root set is signed by its own keys to its threshold, and by those of the set before it to theirs."},
    {"root-set-pinned", kRefused,
     "A domain's first root set is pinned by its sixteen words, which come from elsewhere: nothing else can "
     "vouch for it."},
    {"threshold-reached", kRefused,
     "What offline roots sign counts once as many of the root set's keys have signed as its threshold says."},
    {"authority-unbound", kRefused, "A domain acts only under a manifest that its log binds."},
    {"authority-principal", kRefused, "Who acts for a domain is a principal of its newest manifest."},
    {"authority-role", kRefused, "A principal does what its roles say, and nothing else."},
    {"authority-scope", kRefused, "No role is used that lies outside the scope of the manifest."},
    {"authority-policy", kRefused, "The domain's policy allows the action to the role."},
    {"authority-certificate", kRefused,
     "Once a root set is bound, the domain's root key and policy must be certified by it. Deleting files "
     "does "
     "not undo this: the log remembers."},
    {"dam-fork", kRefused,
     "Two valid manifests of one version mean that the root key is in two hands: both are kept, and the "
     "domain "
     "does nothing any more."},
    {"bound-domain", kRefused, "What a log binds about a domain is about its own domain."},
    {"bound-kind", kRefused, "Only objects that say something for good are bound in a log."},
    {"policy-bound", kRefused, "The policy that a manifest names is bound before it."},
    {"publish-policy", kRefused, "A publication names the domain's policy and newest manifest."},
    {"publish-snapshot", kRefused,
     "A publication names a snapshot of the domain, by its number and reference."},
    {"claim-link", kIntegrity, "An environment claim names the claim before it."},
    {"date-order", kRefused,
     "A ceremony is not dated before the last one, unless a reason is given and logged."},
    {"date-leap", kRefused, "A date more than 400 days after the last one is given twice."},
    {"admission-replay", kRefused, "A request to be admitted is decided once."},
    {"admission-link", kIntegrity,
     "A decision names a request that is bound, and follows the decision before it; a lease and a state name "
     "a "
     "decision that admits the domain."},
    {"admission-state", kRefused,
     "A domain's state changes as it may: to COURTESY or FULL once, to SUSPENDED and back, to REVOKED for "
     "good."},
    {"head-continues", kIntegrity, "A log has the record that an older, signed head of it names."},
    {"card-whole", kIntegrity,
     "A domain card's policy is the one that its manifest names, and its log head is signed by a principal "
     "who "
     "may."},
    {"bundle-layout", kMalformed,
     "A bundle has exactly the fields of its layout, every one a text in its one spelling; nothing under "
     "'contents' is clear."},
    {"bundle-signed", kIntegrity,
     "A bundle's contents are what the domain's root key signed: of a domain that is known here, the newest "
     "root key that is known here."},
    {"bundle-envelope", kRefused,
     "A bundle's clear fields and its recipients are those that were signed inside: another recipient can "
     "be added by anyone who can write the file."},
    {"bundle-domain", kIntegrity,
     "A bundle's domain id, keys, policy and manifests are those of one domain, and it knows no other "
     "history of it than this host."},
    {"bundle-admission", kIntegrity,
     "The request in a bundle for admission is signed by the domain's root key and says what the bundle "
     "says."},
    {"bundle-once", kRefused, "A bundle is used up by admitting from it, and by reinstalling from it."},
    {"bundle-custody", kRefused,
     "A root key leaves its host only in a bundle for recovery, to recipients that the host policy lists."},
    {"key-file-key", kIntegrity,
     "A private key file names the key that it holds: its id, and the public key that the private one "
     "makes."},
    {"key-file-cost", kMalformed,
     "A private key file asks for 64 MiB to 4 GiB of memory and 3 to 16 passes: less protects nothing, more "
     "is "
     "an attack on whoever opens it."},
};

}  // namespace

std::span<const RuleSpec> rule_table() {
  return kRules;
}

std::unexpected<Error> broken_rule(std::string_view name, std::string message, std::string object) {
  const auto rule = std::ranges::find(kRules, name, &RuleSpec::name);
  if (rule == std::end(kRules)) throw std::logic_error("no such rule: " + std::string(name));
  return fail(Error{.code = rule->code,
                    .message = fmt::format("{} (rule {})", message, name),
                    .object = std::move(object)});
}

}  // namespace asl::auth
