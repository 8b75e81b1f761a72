#include "drivers/telemetry.hpp"

#include <fmt/format.h>
#include <rte_telemetry.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#include "drivers/setup_error.hpp"
#include "stack/base/check.hpp"
#include "stack/base/log.hpp"

namespace sluice::drivers {
namespace {

// DPDK's callbacks get no argument, and a command cannot be taken back: so the one handler of the process stands here.
std::mutex handler_mutex;
Telemetry::Handler current_handler;

/// DPDK refuses an entry too many, a name that it does not like, and more when memory is short.
void check(int result, const std::string& name) {
  if (result != 0) throw SetupError(fmt::format("DPDK does not take '{}' ({})", name, std::strerror(std::abs(result))));
}

struct Free {
  void operator()(rte_tel_data* data) const { rte_tel_data_free(data); }
};
using OwnedData = std::unique_ptr<rte_tel_data, Free>;

void put(rte_tel_data* into, const std::string& name, const TelemetryAnswer::Value& value) {
  if (const auto* const number = std::get_if<std::uint64_t>(&value))
    check(rte_tel_data_add_dict_u64(into, name.c_str(), *number), name);
  else
    check(rte_tel_data_add_dict_string(into, name.c_str(), std::get<std::string>(value).c_str()), name);
}

OwnedData data_of(const TelemetryAnswer::Group& group) {
  OwnedData data(rte_tel_data_alloc());
  check(data == nullptr ? -ENOMEM : rte_tel_data_start_dict(data.get()), group.name);
  for (const auto& [name, value] : group.values) put(data.get(), name, value);
  return data;
}

void fill(rte_tel_data* into, const TelemetryAnswer& answer) {
  if (answer.values.size() + answer.groups.size() > RTE_TEL_MAX_DICT_ENTRIES)
    throw SetupError(fmt::format("{} values and {} groups are more than the {} that DPDK takes at once",
                                 answer.values.size(), answer.groups.size(), RTE_TEL_MAX_DICT_ENTRIES));
  // What a dictionary has been given cannot be taken back: the groups are whole before the first is handed over.
  std::vector<OwnedData> groups;
  for (const TelemetryAnswer::Group& group : answer.groups) groups.push_back(data_of(group));
  check(rte_tel_data_start_dict(into), "the answer");
  for (const auto& [name, value] : answer.values) put(into, name, value);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    check(rte_tel_data_add_dict_container(into, answer.groups[i].name.c_str(), groups[i].get(), 0),
          answer.groups[i].name);
    static_cast<void>(groups[i].release());  // the answer's from now on
  }
}

int answer(const char* command, const char* parameters, rte_tel_data* into) {
  const std::lock_guard lock(handler_mutex);
  if (!current_handler) return -1;
  try {
    fill(into, current_handler(command, parameters == nullptr ? "" : parameters));
    return 0;
  } catch (const std::exception& error) {
    // The asker gets DPDK's empty reply; why is said here.
    base::log_warning("telemetry command {} was not answered: {}", command, error.what());
    return -1;
  }
}

}  // namespace

Telemetry::Telemetry(std::span<const Command> commands, Handler answers) {
  const std::lock_guard lock(handler_mutex);
  SLUICE_CHECK(!current_handler);
  for (const Command& command : commands)
    check(rte_telemetry_register_cmd(command.name, answer, command.help), command.name);
  current_handler = std::move(answers);
}

Telemetry::~Telemetry() {
  const std::lock_guard lock(handler_mutex);
  current_handler = nullptr;
}

}  // namespace sluice::drivers
