// How the process that serves a mount holds memory.
#pragma once

namespace asl::fusefs {

// To be called once, before threads start.
void keep_freed_memory();

// Gives back to the system what the caches have let go of, once it is much. To be called now and then.
void give_back_spare_memory();

}  // namespace asl::fusefs
