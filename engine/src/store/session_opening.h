// How a writing session begins and ends: lock, replay, sweep, cache.
#pragma once

#include <asl/engine/error.h>

#include "store/domain_impl.h"
#include "store/writer_session.h"

namespace asl {

// Takes the lock and brings session and domain to the log's end. Errors: StoreWriter::open.
Result<void> open_session(Domain& domain, StoreWriter::Impl& session);
// Flushes the cache and, after a clean end, removes the session's traces. Never fails: what is left over is
// swept by the next writer.
void close_session(Domain& domain, StoreWriter::Impl& session, bool clean);

}  // namespace asl
