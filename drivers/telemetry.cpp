#include "drivers/telemetry.hpp"

#include <rte_telemetry.h>

#include <mutex>

#include "stack/base/check.hpp"
#include "stack/base/log.hpp"

namespace sluice::drivers {
namespace {

// DPDK's callbacks get no argument, and a command cannot be taken back: so the one handler of the process stands here.
std::mutex handler_mutex;
Telemetry::Handler current_handler;

void put(rte_tel_data* into, const std::string& name, const TelemetryAnswer::Value& value) {
  if (const auto* const number = std::get_if<std::uint64_t>(&value))
    rte_tel_data_add_dict_u64(into, name.c_str(), *number);
  else
    rte_tel_data_add_dict_string(into, name.c_str(), std::get<std::string>(value).c_str());
}

void put(rte_tel_data* into, const TelemetryAnswer::Group& group) {
  rte_tel_data* const data = rte_tel_data_alloc();
  if (data == nullptr) return;
  rte_tel_data_start_dict(data);
  for (const auto& [name, value] : group.values) put(data, name, value);
  rte_tel_data_add_dict_container(into, group.name.c_str(), data, 0);
}

int answer(const char* command, const char* parameters, rte_tel_data* into) {
  const std::lock_guard lock(handler_mutex);
  if (!current_handler) return -1;
  try {
    const TelemetryAnswer answer = current_handler(command, parameters == nullptr ? "" : parameters);
    rte_tel_data_start_dict(into);
    for (const auto& [name, value] : answer.values) put(into, name, value);
    for (const TelemetryAnswer::Group& group : answer.groups) put(into, group);
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
  current_handler = std::move(answers);
  for (const Command& command : commands) rte_telemetry_register_cmd(command.name, answer, command.help);
}

Telemetry::~Telemetry() {
  const std::lock_guard lock(handler_mutex);
  current_handler = nullptr;
}

}  // namespace sluice::drivers
