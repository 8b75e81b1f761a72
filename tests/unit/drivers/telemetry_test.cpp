#include "drivers/telemetry.hpp"

#include <gtest/gtest.h>
#include <rte_eal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "drivers/eal.hpp"

namespace sluice::drivers {
namespace {

constexpr std::array<Telemetry::Command, 1> kCommands{{{"/sluice/numbers", "As many as the parameter says"}}};

/// A connection to the process's own telemetry socket.
class Asker {
 public:
  Asker() : socket_(socket(AF_UNIX, SOCK_SEQPACKET, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = std::string(rte_eal_get_runtime_dir()) + "/dpdk_telemetry.v2";
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    const timeval patience{30, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    receive();  // the greeting
  }
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;
  ~Asker() { close(socket_); }

  bool connected() const { return connected_; }
  std::string ask(const std::string& request) {
    send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
    return receive();
  }

 private:
  std::string receive() {
    std::array<char, 65536> buffer;
    const ssize_t got = recv(socket_, buffer.data(), buffer.size(), 0);
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  }

  int socket_;
  bool connected_ = false;
};

/// `count` values, and a group in which there are as many.
TelemetryAnswer numbers(std::size_t count) {
  TelemetryAnswer answer;
  answer.groups.push_back({"group", {}});
  for (std::size_t i = 0; i < count; ++i) {
    answer.values.emplace_back("n" + std::to_string(i), i);
    answer.groups[0].values.emplace_back("g" + std::to_string(i), "text");
  }
  return answer;
}

TEST(Telemetry, GivesAnAnswerWholeOrNotAtAll) {
  EalConfig config;
  config.huge_pages = HugePages::no;
  config.memory_megabytes = 64;
  config.log_level = base::LogLevel::off;
  const Eal eal(config);
  const Telemetry telemetry(kCommands, [](std::string_view, std::string_view parameters) {
    return numbers(std::stoul(std::string(parameters)));
  });
  Asker asker;
  ASSERT_TRUE(asker.connected());
  const std::string most = asker.ask("/sluice/numbers,255");
  EXPECT_NE(most.find("\"n254\":254"), std::string::npos);
  EXPECT_NE(most.find("\"g254\":\"text\""), std::string::npos);
  EXPECT_EQ(asker.ask("/sluice/numbers,256"), "{\"/sluice/numbers\":null}");
  EXPECT_EQ(asker.ask("/sluice/numbers,300"), "{\"/sluice/numbers\":null}");
  EXPECT_EQ(asker.ask("/sluice/numbers,1"), "{\"/sluice/numbers\":{\"n0\":0,\"group\":{\"g0\":\"text\"}}}");
}

}  // namespace
}  // namespace sluice::drivers
