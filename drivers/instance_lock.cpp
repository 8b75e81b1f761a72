#include "drivers/instance_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "drivers/setup_error.hpp"

namespace sluice::drivers {
namespace {

std::string directory() {
  constexpr const char* kLocks = "/run/lock";
  std::error_code error;
  return access(kLocks, W_OK) == 0 ? kLocks : std::filesystem::temp_directory_path(error).string();
}

/// `file` is still what `path` names: whoever had it before may have taken it away in between.
bool is_still(int file, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return fstat(file, &opened) == 0 && stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace

// DPDK's files are each user's own, too. A file that a killed process left behind is opened, not made: where the sticky
// bit protects it, making it again is refused.
InstanceLock::InstanceLock(const std::string& name)
    : path_(fmt::format("{}/sluice-{}-{}.lock", directory(), geteuid(), name)) {
  for (int tries = 0; tries < 100; ++tries) {
    constexpr mode_t kMode = 0600;
    constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
    file_ = open(path_.c_str(), kFlags);
    if (file_ < 0 && errno == ENOENT) file_ = open(path_.c_str(), kFlags | O_CREAT, kMode);
    if (file_ < 0)
      throw SetupError(fmt::format("the lock file {} cannot be made or opened: {}", path_, std::strerror(errno)));
    const bool locked = flock(file_, LOCK_EX | LOCK_NB) == 0;
    if (locked && is_still(file_, path_)) return;
    close(file_);
    if (!locked) break;
  }
  throw SetupError(
      fmt::format("a stack called '{}' runs on this host already; give this one a name of its own with --instance or "
                  "the key instance",
                  name));
}

InstanceLock::~InstanceLock() {
  unlink(path_.c_str());
  close(file_);
}

}  // namespace sluice::drivers
