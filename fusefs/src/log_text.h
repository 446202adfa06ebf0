// A domain's log as a text file.
#pragma once

#include <asl/engine/domain.h>

namespace asl::fusefs {

// Longer logs show their newest records only: the text is held in memory while it is read.
inline constexpr std::size_t kLogTextBytesMax = 16 << 20;

// One line a record, up to the one with `last_logseq`: number, type, words.
Result<Bytes> log_in_words(const Domain& domain, std::uint64_t last_logseq);

}  // namespace asl::fusefs
