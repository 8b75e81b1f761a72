#include "drivers/unix_socket.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace sluice::drivers {
namespace {

bool has_listener(const std::string& path) {
  // Num RefCount Protocol Flags Type St Inode Path
  std::ifstream sockets("/proc/net/unix");
  constexpr unsigned kAcceptsConnections = 0x10000;
  for (std::string line; std::getline(sockets, line);) {
    std::istringstream fields(line);
    std::string skipped;
    std::string bound_to;
    unsigned flags = 0;
    fields >> skipped >> skipped >> skipped >> std::hex >> flags >> skipped >> skipped >> skipped >> std::ws;
    std::getline(fields, bound_to);
    if ((flags & kAcceptsConnections) != 0 && bound_to == path) return true;
  }
  return false;
}

}  // namespace

bool remove_stale_socket(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::symlink_status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return true;
  if (status.type() != std::filesystem::file_type::socket || has_listener(path)) return false;
  return std::filesystem::remove(path, error);
}

}  // namespace sluice::drivers
