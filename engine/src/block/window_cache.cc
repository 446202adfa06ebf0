#include "block/window_cache.h"

#include <algorithm>

namespace asl {

WindowCache::WindowCache(BlockStore& store, std::size_t bytes_max) : store_(store), bytes_max_(bytes_max) {}

Result<void> WindowCache::read(const BlockId& block, std::uint64_t offset, MutableByteSpan into) {
  while (!into.empty()) {
    ASL_ASSIGN(const auto window, window_of(block, offset / kWindowGrain));
    const std::uint64_t skip = offset - window->first_grain * kWindowGrain;
    if (skip >= window->length) {
      drop(block, offset);
      return fail(integrity_error("a block file is cut short", store_.path_of(block),
                                  window->first_grain * kWindowGrain + window->length)
                      .with_object("block " + to_hex(block)));
    }
    const std::size_t count = std::min<std::uint64_t>(into.size(), window->length - skip);
    std::ranges::copy(ByteSpan(window->buffer.span()).subspan(skip, count), into.begin());
    offset += count;
    into = into.subspan(count);
  }
  return {};
}

void WindowCache::drop(const BlockId& block, std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  const auto found = windows_.find({block, offset / kWindowGrain});
  // One that is being read is as fresh as can be.
  if (found != windows_.end() && !found->second->loading) erase(std::shared_ptr(found->second));
}

Result<std::shared_ptr<const WindowCache::Window>> WindowCache::window_of(const BlockId& block,
                                                                          std::uint64_t grain) {
  std::unique_lock lock(mutex_);
  if (const auto found = windows_.find({block, grain}); found != windows_.end()) {
    std::shared_ptr<Window> window = found->second;
    loaded_.wait(lock, [&] { return !window->loading; });
    if (window->error) return fail(*window->error);
    if (window->cached) recent_.splice(recent_.begin(), recent_, window->place);
    return window;
  }
  std::shared_ptr<Window> window = begin_load(block, grain);
  lock.unlock();
  auto loaded = load(*window);
  lock.lock();
  window->loading = false;
  if (!loaded) {
    window->error = loaded.error();
    erase(window);
  }
  evict();
  loaded_.notify_all();
  if (!loaded) return fail(std::move(loaded).error());
  return window;
}

std::shared_ptr<WindowCache::Window> WindowCache::begin_load(const BlockId& block, std::uint64_t grain) {
  const auto window = std::make_shared<Window>();
  window->block = block;
  window->first_grain = grain;
  // Whoever has read the window before reads on, most likely: then fewer, longer reads.
  const bool reads_on = grain > 0 && windows_.contains({block, grain - 1});
  const std::size_t wanted = reads_on ? kWindowGrainsMax : 1;
  while (window->grains < wanted && windows_.try_emplace({block, grain + window->grains}, window).second)
    ++window->grains;
  recent_.push_front(window);
  window->place = recent_.begin();
  window->cached = true;
  bytes_ += window->grains * kWindowGrain;
  return window;
}

Result<void> WindowCache::load(Window& window) {
  ASL_ASSIGN(const auto file, store_.open(window.block));
  window.buffer = AlignedBuffer(window.grains * kWindowGrain);
  const std::uint64_t offset = window.first_grain * kWindowGrain;
  auto got = store_.io().read(*file, window.buffer.span(), offset);
  if (!got)
    return fail(std::move(got)
                    .error()
                    .with_object("block " + to_hex(window.block))
                    .with_path(store_.path_of(window.block))
                    .with_offset(offset));
  window.length = *got;
  return {};
}

void WindowCache::erase(const std::shared_ptr<Window>& window) {
  if (!window->cached) return;
  for (std::size_t i = 0; i < window->grains; ++i) windows_.erase({window->block, window->first_grain + i});
  recent_.erase(window->place);
  window->cached = false;
  bytes_ -= window->grains * kWindowGrain;
}

void WindowCache::evict() {
  // The newest stays whatever the limit, and so do those being read, which are few: one for each thread.
  for (auto at = recent_.end(); bytes_ > bytes_max_ && at != recent_.begin();) {
    const std::shared_ptr<Window> window = *--at;
    if (at == recent_.begin() || window->loading) continue;
    ++at;
    erase(window);
  }
}

}  // namespace asl
