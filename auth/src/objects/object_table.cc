#include "objects/object_table.h"

#include <algorithm>
#include <fmt/format.h>

#include <asl/auth/certificate.h>
#include <asl/auth/dam.h>
#include <asl/auth/policy.h>
#include <asl/auth/root_set.h>

namespace asl::auth {
namespace {

// Keeps the verdict of a reader, drops what it read.
template <auto kReader>
Result<void> check(const Value& object) {
  ASL_TRY(kReader(object));
  return {};
}

struct ReaderRow {
  Kind kind;
  Result<void> (*check)(const Value& object);
};

constexpr ReaderRow kReaders[] = {
    {Kind::kDam, check<dam_of>},
    {Kind::kPolicy, check<policy_of>},
    {Kind::kCertificate, check<certificate_of>},
    {Kind::kCertificateRequest, check<certificate_request_of>},
    {Kind::kRootSet, check<root_set_of>},
    {Kind::kPolicyRatification, check<ratification_of>},
};

}  // namespace

bool can_check(Kind kind) {
  return std::ranges::find(kReaders, kind, &ReaderRow::kind) != std::end(kReaders);
}

Result<void> check_object(Kind kind, const Value& object) {
  const auto row = std::ranges::find(kReaders, kind, &ReaderRow::kind);
  if (row == std::end(kReaders))
    return fail(ErrorCode::kUnsupported,
                fmt::format("this version cannot read a {}, and so does not sign one", spec_of(kind).name));
  return row->check(object);
}

}  // namespace asl::auth
