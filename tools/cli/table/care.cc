#include "asl_table.h"

namespace asl::cli {
namespace {

// A hundred years: beyond it a mistake.
constexpr std::uint64_t kMaxAgeDaysMax = 36'500;

CommandSpec verify_command() {
  return {
      .name = "verify",
      .section = kSectionCare,
      .summary = "prove that the store is what it must be",
      .description =
          "Checks the log's hash chain, every segment, and the trees of every snapshot. --data also reads "
          "and hashes "
          "every stored extent and the padding between them, in the order they lie on the disk; --artifacts "
          "also "
          "hashes every artifact of several extents whole.\n\n"
          "Damage is printed from the damaged extent to the files and snapshots it touches, with the next "
          "step, and makes the exit status 5. Stored bytes that nothing needs any more, because a good copy "
          "is in "
          "use, are named too, and are no failure.\n\n"
          "Which block was read when is remembered. --sample and --max-age use it, so that a large store is "
          "proved in parts: with --max-age an interrupted run goes on where it stopped. Either, and --rate, "
          "imply --data.",
      .positionals = {{.name = "ID",
                       .help = "Check only what this snapshot reaches; without it, everything",
                       .min = 0}},
      .options = {{.name = "data", .help = "Read and check every stored byte"},
                  {.name = "artifacts", .help = "Check the hash of every artifact of several extents"},
                  {.name = "sample",
                   .kind = ValueKind::kPercent,
                   .metavar = "SHARE",
                   .help =
                       "Read only this share of the stored bytes: what was not read for the longest time"},
                  {.name = "max-age",
                   .kind = ValueKind::kInteger,
                   .metavar = "DAYS",
                   .help = "Leave out what was read and found good less than DAYS days ago",
                   .max = kMaxAgeDaysMax},
                  {.name = "rate",
                   .kind = ValueKind::kSize,
                   .metavar = "SIZE",
                   .help = "Read at most SIZE a second",
                   .min = 1}},
      .examples = {{"asl verify --data", "Prove every stored byte."},
                   {"asl verify --max-age 30", "Go on with what was not read for 30 days."},
                   {"asl verify --sample 5% --rate 50M", "A part each night, and everything in 20 nights."}},
      .exit_codes = {3, 4, 5, 10}};
}

CommandSpec repair_command() {
  return {
      .name = "repair",
      .section = kSectionCare,
      .summary = "put back damaged or missing data from another source",
      .description =
          "Finds what is damaged or missing and puts it back, by hash, from the places given: another store "
          "(or "
          "a copy of this one), a mounted snapshot, a restored directory, the original files, or a disk or "
          "image "
          "that was ingested. It takes nothing whose hash does not match, and a store is never worse after "
          "it.\n\n"
          "A damaged log is mended first, from copies of this store's directory (or pins of it) that have "
          "the "
          "records: by its chain, to exactly what it was. What the damaged files held is kept beside it.\n\n"
          "Checked are the log, the index, the trees, the metadata and presence of every block, and the "
          "bytes of "
          "blocks in which damage is known (asl verify notes it). --data reads every stored byte first.\n\n"
          "In directories a file is looked for where the snapshots say it was; --search cuts and hashes "
          "every "
          "file instead, wherever it lies. What was healed is printed, then what is still wrong, with files, "
          "snapshots and next step; the exit status is 5 if anything is.",
      .options =
          {{.name = "from",
            .kind = ValueKind::kPath,
            .metavar = "PLACE",
            .help = "Another store, or a directory, file or device that may hold the original bytes; "
                    "required",
            .repeatable = true},
           {.name = "data", .help = "Read and check every stored byte first"},
           {.name = "search", .help = "Look into every file of the directories given, whatever its name"},
           {.name = "dry-run", .letter = 'n', .help = "Say what could be repaired and change nothing"}},
      .examples = {{"asl repair --from /mnt/second-store", "Heal from a copy."},
                   {"asl repair --data --from /home/ann --search", "Heal from files that were moved since."}},
      .exit_codes = {3, 4, 5, 9, 10}};
}

CommandSpec gc_command() {
  return {
      .name = "gc",
      .section = kSectionCare,
      .summary = "free what nothing needs any more",
      .description =
          "Frees what no snapshot, pin, published or authority object needs, and repacks blocks that are "
          "mostly garbage. It deletes nothing unless every live segment and every reachable tree verified in "
          "this run, and is safe against a crash at any point.\n\n"
          "It prints what is kept and why; each line counts what the ones above it do not keep already. What "
          "an interrupted ingest had stored is needed by nothing yet: finish the ingest first.\n\n"
          "Where snapshots are pinned by snapshots of the file system, these are listed: what gc frees comes "
          "back as free space only when they go. Pins of forgotten snapshots are removed.",
      .options = {{.name = "dry-run", .letter = 'n', .help = "Say what would be freed and change nothing"},
                  {.name = "max-unused",
                   .kind = ValueKind::kPercent,
                   .metavar = "SHARE",
                   .help = "Repack blocks of which more than this share is garbage",
                   .default_text = "50%",
                   .config_key = "store.max-unused"},
                  pin_option("Make the pins that snapshots shall have and have not")},
      .examples = {{"asl gc -n", "See what could be freed."}},
      .exit_codes = {3, 5, 9, 10}};
}

CommandSpec unpin_command() {
  return {
      .name = "unpin",
      .section = kSectionCare,
      .summary = "let gc free an artifact that was put",
      .description =
          "Takes away the pin that 'asl put' set; putting the artifact again sets it again. What a "
          "snapshot needs stays all the same. Nothing is unpinned if one of the artifacts is unknown; one "
          "that is not pinned is named and passed over.",
      .positionals = {{.name = "REF", .help = kReferenceHelp, .min = 0, .max = kUnlimited}},
      .options = {{.name = "files-from",
                   .kind = ValueKind::kPath,
                   .metavar = "LIST",
                   .help = "Read further references from LIST, one a line ('-' is standard input); what "
                           "follows a blank is ignored"},
                  {.name = "null", .letter = '0', .help = "References in LIST end with NUL"}},
      .examples = {{"asl unpin 2c26b46b", "Unpin an artifact."}},
      .exit_codes = {3, 4, 5, 7, 8, 9}};
}

CommandSpec tombstone_command() {
  return {
      .name = "tombstone",
      .section = kSectionCare,
      .summary = "withdraw what should never have been ingested",
      .description =
          "Puts a tombstone on artifacts: from then on they are refused, in every snapshot that names them "
          "and in the "
          "mount, and putting them again is refused too. With --reason legal or secret, the next 'asl gc' "
          "also takes "
          "the bytes off the disk and rewrites the blocks that held them; until then, and for every other "
          "reason, "
          "--lift makes them readable again.\n\n"
          "Equal content is one artifact: a file that is withdrawn is withdrawn wherever the same bytes are "
          "stored. "
          "A directory is its list of names; --reached withdraws with it everything below it, also where "
          "other "
          "directories have the same files.\n\n"
          "A source that still has the file stores its bytes again with the next ingest, where nobody can "
          "read them; "
          "take it out of the source or exclude it. Copies of the store ('asl copy') hear of a tombstone "
          "with the "
          "next copy.",
      .positionals =
          {{.name = "REF",
            .help = "Reference ('sha256:...', 'asl1:...' or a prefix of 8 or more digits), or ID:PATH for "
                    "what a snapshot has there",
            .min = 0,
            .max = kUnlimited}},
      .options = {{.name = "reason",
                   .kind = ValueKind::kEnum,
                   .metavar = "REASON",
                   .help = "Why; kept in the log",
                   .default_text = "none",
                   .choices = {"none", "legal", "secret", "damaged", "policy"}},
                  {.name = "reached", .help = "Also everything that they name"},
                  {.name = "lift", .help = "Take tombstones away instead"},
                  {.name = "files-from",
                   .kind = ValueKind::kPath,
                   .metavar = "LIST",
                   .help = "Read further references from LIST, one a line ('-' is standard input); what "
                           "follows a blank is ignored"},
                  {.name = "null", .letter = '0', .help = "References in LIST end with NUL"}},
      .examples = {{"asl tombstone latest:home/ann/.ssh/id_ed25519 --reason secret",
                    "Withdraw a file, for good after asl gc."},
                   {"asl tombstone --lift 2c26b46b", "Let an artifact back."}},
      .exit_codes = {3, 4, 5, 7, 8, 9}};
}

CommandSpec index_rebuild_command() {
  return {.name = "index rebuild",
          .section = kSectionCare,
          .summary = "build the cache anew from the segments",
          .description =
              "Drops the index cache (store/cache/index) and builds it again, checks every segment whole on "
              "the way, and writes the bloom files that are missing or damaged. The cache looks after itself "
              "when it is missing, stale or seen to be damaged; this is for when it is not seen. Nothing is "
              "lost by it but time: the next ingest of each source reads all its files again.\n\n"
              "A damaged segment is named and makes the exit status 5; what the others hold is served.",
          .examples = {{"asl index rebuild", "Rebuild the cache."}},
          .exit_codes = {3, 5, 7, 9, 10}};
}

CommandSpec stats_command() {
  return {
      .name = "stats",
      .section = kSectionCare,
      .summary = "show sizes, deduplication and growth",
      .description =
          "Shows how much data the snapshots hold, how much is stored, what deduplication and compression "
          "saved, how the store is made up, what each snapshot added, and what zstd would save.\n\n"
          "What a snapshot added is known from the order in which blocks came; where segments were joined "
          "since, only what several of them added together is known. What zstd would save is measured on a "
          "sample of the stored extents, spread evenly over all blocks.",
      .options = {{.name = "compression-sample",
                   .kind = ValueKind::kSize,
                   .metavar = "SIZE",
                   .help = "How much to try zstd on; 0 leaves it out",
                   .default_text = "64MiB"}},
      .examples = {{"asl stats", "Look at the store."},
                   {"asl stats --compression-sample 1GiB", "A closer estimate of what zstd would save."}},
      .exit_codes = {4, 5, 9}};
}

CommandSpec bench_command() {
  return {
      .name = "bench",
      .section = kSectionCare,
      .summary = "measure this store on this disk",
      .description =
          "Measures ingest, verify, reading and restore of made-up data, in a store of its own in this "
          "root's "
          "directory, beside the disk's and the processor's own limits, and shows the figures with a small "
          "chart. Needs twice the size of the data free on the disk. It leaves nothing behind, nor does it "
          "touch what the store holds.",
      .options = {{.name = "quick", .help = "Take seconds instead of minutes"},
                  {.name = "size",
                   .kind = ValueKind::kSize,
                   .metavar = "SIZE",
                   .help = "Amount of data to measure with (4GiB; 512MiB with --quick)"}},
      .examples = {{"asl bench --quick", "A first impression."}},
      .exit_codes = {3, 9}};
}

}  // namespace

std::vector<CommandSpec> care_commands() {
  return {verify_command(), repair_command(),        gc_command(),   unpin_command(), tombstone_command(),
          stats_command(),  index_rebuild_command(), bench_command()};
}

}  // namespace asl::cli
