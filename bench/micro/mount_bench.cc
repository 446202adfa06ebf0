// What the mount does for a request, without the kernel: looking up, listing, reading.
#include <benchmark/benchmark.h>
#include <fstream>

#include <asl/engine/ingest.h>

#include "file_view.h"
#include "workshop.h"

namespace asl::fusefs {
namespace {

using bench::value_of;

constexpr std::size_t kDirectories = 100;
constexpr std::size_t kFilesEach = 100;
constexpr std::size_t kLargeBytes = 256 << 20;

template <typename T>
T answer_of(Reply<T> reply) {
  if (!reply) {
    std::cerr << "errno " << reply.error().number << " " << reply.error().words << "\n";
    std::exit(1);
  }
  return std::move(*reply);
}

// A snapshot of small files and a large one, seen as a mount of it sees it.
struct Viewed {
  bench::Store store;
  std::unique_ptr<FileView> view;

  explicit Viewed(VerifyReads verify = VerifyReads::kOnce) {
    const std::string source = store.directory / "source";
    for (std::size_t d = 0; d < kDirectories; ++d) {
      const std::string folder = source + "/" + std::to_string(1000 + d);
      std::filesystem::create_directories(folder);
      for (std::size_t f = 0; f < kFilesEach; ++f)
        std::ofstream(folder + "/" + std::to_string(1000 + f)) << std::string(4000, 'x') << d << " " << f;
    }
    const Bytes large = bench::random_bytes(kLargeBytes);
    std::ofstream(source + "/large").write(as_text(large).data(), static_cast<std::streamsize>(large.size()));
    IngestOptions how;
    how.sources = {source};
    ProgressCounters progress;
    value_of(ingest(*store.domain, how, progress, StopToken()));
    FileViewOptions options;
    options.directory = store.root;
    options.only = OnlyPlace{.domain = "", .snapshot = "1"};
    options.domain.verify = verify;
    options.domain.read_cache_bytes = 128 << 20;
    options.log = [](const std::string& line) { std::cerr << line << "\n"; };
    view = value_of(FileView::open(*store.io, options));
  }
  std::uint64_t child(std::uint64_t directory, const std::string& name) {
    return answer_of(view->lookup(directory, name)).node;
  }
};

void look_up(benchmark::State& state) {
  Viewed viewed;
  std::size_t k = 0;
  for (auto _ : state) {
    const std::uint64_t folder =
        viewed.child(FileView::kRoot, std::to_string(1000 + k / kFilesEach % kDirectories));
    benchmark::DoNotOptimize(viewed.child(folder, std::to_string(1000 + k % kFilesEach)));
    ++k;
  }
  state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK(look_up);

void attributes(benchmark::State& state) {
  Viewed viewed;
  const std::uint64_t file = viewed.child(viewed.child(FileView::kRoot, "1050"), "1050");
  for (auto _ : state) benchmark::DoNotOptimize(answer_of(viewed.view->attributes(file)));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(attributes);

void list(benchmark::State& state) {
  Viewed viewed;
  const std::uint64_t folder = viewed.child(FileView::kRoot, "1007");
  for (auto _ : state) {
    std::size_t names = 0;
    static_cast<void>(viewed.view->list_tree(folder, 0, [&](const TreeItem& item) {
      names += item.name.size();
      return true;
    }));
    benchmark::DoNotOptimize(names);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kFilesEach));
}
BENCHMARK(list);

// Requests of 1 MiB, one after the other; what was read before is not in memory any more.
void read_large(benchmark::State& state, VerifyReads verify) {
  Viewed viewed(verify);
  const std::uint64_t node = viewed.child(FileView::kRoot, "large");
  AlignedBuffer scratch(1 << 20);
  std::vector<Artifact::Piece> pieces;
  for (auto _ : state)
    for (std::uint64_t at = 0; at < kLargeBytes; at += scratch.size()) {
      pieces.clear();
      const auto file = answer_of(viewed.view->content(node));
      benchmark::DoNotOptimize(answer_of(file->read(at, scratch.span(), pieces)));
    }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kLargeBytes));
}
BENCHMARK_CAPTURE(read_large, verified_always, VerifyReads::kAlways)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read_large, verified_once, VerifyReads::kOnce)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read_large, not_verified, VerifyReads::kNever)->Unit(benchmark::kMillisecond);

// Small files in the order of their directory, as a tar of the mount reads them.
void read_small(benchmark::State& state) {
  Viewed viewed;
  std::vector<std::uint64_t> nodes;
  for (std::size_t d = 0; d < kDirectories; ++d) {
    const std::uint64_t folder = viewed.child(FileView::kRoot, std::to_string(1000 + d));
    for (std::size_t f = 0; f < kFilesEach; ++f)
      nodes.push_back(viewed.child(folder, std::to_string(1000 + f)));
  }
  AlignedBuffer scratch(1 << 20);
  std::vector<Artifact::Piece> pieces;
  for (auto _ : state)
    for (const std::uint64_t node : nodes) {
      pieces.clear();
      const auto file = answer_of(viewed.view->content(node));
      benchmark::DoNotOptimize(answer_of(file->read(0, scratch.span(), pieces)));
    }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(nodes.size()));
}
BENCHMARK(read_small)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace asl::fusefs

BENCHMARK_MAIN();
