// Members in tree order, one at a time, with a look at the next one.
#pragma once

#include <string>

#include "transfer/external_sorter.h"
#include "transfer/member_key.h"

namespace asl {

// Reads a sorter of version keys and members. Not thread-safe; the sorter must outlive it.
class MemberCursor {
 public:
  static Result<MemberCursor> open(const ExternalSorter& members) {
    MemberCursor cursor(members.read());
    ASL_TRY(cursor.look_ahead());
    return cursor;
  }

  // False after the last.
  Result<bool> next() {
    if (!has_next_) return false;
    key_.swap(next_key_);
    value_.swap(next_value_);
    ASL_TRY(look_ahead());
    return true;
  }
  // To the newest member of the next path; `skipped` counts the older ones.
  Result<bool> next_path(std::uint64_t& skipped) {
    while (true) {
      ASL_ASSIGN(const bool more, next());
      if (!more || is_newest()) return more;
      ++skipped;
    }
  }

  ByteSpan key() const { return as_bytes(key_); }
  std::string_view path() const { return version_of(key()).path; }
  std::uint64_t number() const { return version_of(key()).number; }
  ByteSpan value() const { return value_; }
  // No later member has the same path.
  bool is_newest() const { return !has_next_ || next_path_key() != path(); }
  // The member that follows lies below this one.
  bool has_more_below() const {
    const std::string below = std::string(path()) + '\0';
    return has_next_ && next_path_key().starts_with(below);
  }

 private:
  explicit MemberCursor(ExternalSorter::Reader reader) : reader_(std::move(reader)) {}
  std::string_view next_path_key() const { return version_of(as_bytes(next_key_)).path; }
  Result<void> look_ahead() {
    ASL_ASSIGN(has_next_, reader_.next());
    if (!has_next_) return {};
    next_key_ = as_text(reader_.key());
    next_value_.assign(reader_.value().begin(), reader_.value().end());
    return {};
  }

  ExternalSorter::Reader reader_;
  std::string key_;
  Bytes value_;
  bool has_next_ = false;
  std::string next_key_;
  Bytes next_value_;
};

}  // namespace asl
