#include <gtest/gtest.h>
#include <poll.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "drivers/dpdk_log.hpp"
#include "drivers/mbuf_block.hpp"
#include "drivers/pcap_writer.hpp"
#include "stack/base/heap_buffers.hpp"
#include "stack/base/slab_buffers.hpp"
#include "tests/unit/drivers/dpdk_environment.hpp"

namespace sluice::drivers {
namespace {

using test::bytes_of;
using test::ethernet_frame;
using test::frame_in;
using test::make_pool;
using test::open_one;
using test::receive_all;

class SilentAccount final : public base::PinAccount {
 public:
  void unpinned() noexcept override {}
};

std::string unique_path(const std::string& what) {
  static int count = 0;
  return (std::filesystem::temp_directory_path() /
          ("sluice-test-" + std::to_string(getpid()) + "-" + what + std::to_string(++count)))
      .string();
}

/// A port on software rings that the test holds the other ends of.
struct RingBench {
  explicit RingBench(unsigned slots = 256, std::uint16_t mtu = 1500, std::uint32_t block_bytes = 0)
      : pool(make_pool(2048, block_bytes)) {
    static int count = 0;
    const std::string name = "bench" + std::to_string(++count);
    to_port = rte_ring_create((name + "in").c_str(), slots, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    from_port = rte_ring_create((name + "out").c_str(), slots, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    EXPECT_GE(rte_eth_from_rings(name.c_str(), &to_port, 1, &from_port, 1, 0), 0);
    PortConfig config;
    config.name = name;
    config.kind = PortKind::ring;
    config.interface = "net_ring_" + name;
    config.mtu = mtu;
    port = open_one(config, *pool);
  }
  ~RingBench() {
    while (rte_mbuf* mbuf = sent()) rte_pktmbuf_free(mbuf);
    port.reset();
    rte_ring_free(to_port);
    rte_ring_free(from_port);
    EXPECT_EQ(pool->unused(), pool->total()) << "a block leaked";
  }
  rte_mbuf* sent() const {
    void* mbuf = nullptr;
    return rte_ring_dequeue(from_port, &mbuf) == 0 ? static_cast<rte_mbuf*>(mbuf) : nullptr;
  }
  void arrive(rte_mbuf* mbuf) const { ASSERT_EQ(rte_ring_enqueue(to_port, mbuf), 0); }
  const QueueCounters& counters() const { return port->queue_counters(0); }

  std::unique_ptr<PacketPool> pool;
  rte_ring* to_port = nullptr;
  rte_ring* from_port = nullptr;
  std::unique_ptr<Port> port;
};

/// An mbuf chain from `pool` whose segments hold `sizes` bytes, counting up through the chain.
rte_mbuf* chain(PacketPool& pool, const std::vector<std::uint16_t>& sizes) {
  rte_mbuf* head = nullptr;
  std::uint8_t value = 0;
  for (const std::uint16_t size : sizes) {
    rte_mbuf* const segment = rte_pktmbuf_alloc(pool.native());
    char* const at = rte_pktmbuf_append(segment, size);
    for (std::uint16_t i = 0; i < size; ++i) at[i] = static_cast<char>(value++);
    if (head == nullptr)
      head = segment;
    else
      EXPECT_EQ(rte_pktmbuf_chain(head, segment), 0);
  }
  return head;
}

TEST(DpdkPort, CarriesFramesThroughLoopedRings) {
  const auto pool = make_pool();
  PortConfig config;
  config.name = "loop";
  config.kind = PortKind::ring;
  const auto port = open_one(config, *pool);
  EXPECT_EQ(port->info().name, "loop");
  EXPECT_TRUE(port->link().up);
  EXPECT_FALSE(port->info().mac.is_zero());
  std::array<base::Buffer, 3> frames;
  for (std::uint8_t i = 0; i < 3; ++i) frames[i] = frame_in(*pool, ethernet_frame(1, 0, 60u + i, i));
  EXPECT_EQ(port->transmit(0, frames), 3);
  for (const base::Buffer& frame : frames) EXPECT_FALSE(frame);
  const auto received = receive_all(*port, 3);
  ASSERT_EQ(received.size(), 3u);
  for (std::uint8_t i = 0; i < 3; ++i) EXPECT_EQ(bytes_of(received[i]), ethernet_frame(1, 0, 60u + i, i));
  EXPECT_EQ(port->queue_counters(0).rx_bytes, 183u);
  EXPECT_EQ(port->queue_counters(0).tx_bytes, 183u);
}

// As the answer to an echo request that came in fragments is: in the block that they were joined in.
TEST(DpdkPort, CopiesFramesThatLieInNoMbuf) {
  base::SlabBuffers slab({{2048, 1}});
  RingBench bench;
  const auto expected = ethernet_frame(1, 0, 300, 7);
  base::Buffer frame = slab.allocate(64, 300);
  std::memcpy(frame.append(300), expected.data(), 300);
  EXPECT_EQ(bench.port->transmit(0, {&frame, 1}), 1);
  EXPECT_EQ(slab.available(), 1u);
  rte_mbuf* const mbuf = bench.sent();
  ASSERT_NE(mbuf, nullptr);
  ASSERT_EQ(rte_pktmbuf_pkt_len(mbuf), 300u);
  EXPECT_EQ(std::memcmp(rte_pktmbuf_mtod(mbuf, const void*), expected.data(), 300), 0);
  EXPECT_EQ(bench.counters().tx_copied, 1u);
  rte_pktmbuf_free(mbuf);
}

// Of a device that lends memory of its own, and of a ring that another pool's owner fills.
TEST(DpdkPort, CopiesWhatArrivesInMemoryOfOthers) {
  RingBench bench;
  rte_mempool* const theirs = rte_pktmbuf_pool_create("theirs", 63, 0, 0, 2048, SOCKET_ID_ANY);
  ASSERT_NE(theirs, nullptr);
  const auto expected = ethernet_frame(1, 0, 300, 7);
  rte_mbuf* const foreign = rte_pktmbuf_alloc(theirs);
  std::memcpy(rte_pktmbuf_append(foreign, 300), expected.data(), 300);
  static std::array<std::byte, 4096> memory;
  static int freed = 0;
  std::uint16_t length = memory.size();
  rte_mbuf_ext_shared_info* const shared = rte_pktmbuf_ext_shinfo_init_helper(
      memory.data(), &length, [](void*, void*) { ++freed; }, nullptr);
  rte_mbuf* const external = rte_pktmbuf_alloc(bench.pool->native());
  rte_pktmbuf_attach_extbuf(external, memory.data(), RTE_BAD_IOVA, length, shared);
  std::memcpy(rte_pktmbuf_append(external, 300), expected.data(), 300);
  bench.arrive(foreign);
  bench.arrive(external);
  const auto frames = receive_all(*bench.port, 2);
  ASSERT_EQ(frames.size(), 2u);
  for (const base::Buffer& frame : frames) EXPECT_EQ(bytes_of(frame), expected);
  EXPECT_EQ(bench.counters().rx_linearised, 2u);
  EXPECT_EQ(freed, 1);
  EXPECT_EQ(rte_mempool_in_use_count(theirs), 0u);
  rte_mempool_free(theirs);
}

TEST(DpdkPort, DropsFramesThatSayTheyAreLongerThanTheirMemory) {
  RingBench bench;
  rte_mbuf* const liar = rte_pktmbuf_alloc(bench.pool->native());
  liar->data_len = static_cast<std::uint16_t>(liar->buf_len);
  liar->pkt_len = liar->data_len;
  bench.arrive(liar);
  bench.arrive(chain(*bench.pool, {64}));
  EXPECT_EQ(receive_all(*bench.port, 1).size(), 1u);
  EXPECT_EQ(bench.counters().rx_too_long, 1u);
}

TEST(DpdkPort, LinearisesSegmentedFrames) {
  RingBench bench;
  bench.arrive(chain(*bench.pool, {100, 1, 700}));
  const auto frames = receive_all(*bench.port, 1);
  ASSERT_EQ(frames.size(), 1u);
  ASSERT_EQ(frames[0].size(), 801u);
  for (std::uint32_t i = 0; i < 801; ++i) ASSERT_EQ(frames[0].data()[i], static_cast<std::byte>(i));
  EXPECT_EQ(bench.counters().rx_linearised, 1u);
}

TEST(DpdkPort, TakesSegmentsAndFramesWithoutAByte) {
  RingBench bench;
  bench.arrive(chain(*bench.pool, {0, 100, 0, 0, 60, 0}));
  bench.arrive(chain(*bench.pool, {0, 0}));
  bench.arrive(chain(*bench.pool, {0}));
  const auto frames = receive_all(*bench.port, 3);
  ASSERT_EQ(frames.size(), 3u);
  ASSERT_EQ(frames[0].size(), 160u);
  for (std::uint32_t i = 0; i < 160; ++i) ASSERT_EQ(frames[0].data()[i], static_cast<std::byte>(i));
  EXPECT_EQ(frames[1].size(), 0u);
  EXPECT_EQ(frames[2].size(), 0u);
}

TEST(DpdkPort, DropsSegmentedFramesThatNoBlockHolds) {
  RingBench bench;
  bench.arrive(chain(*bench.pool, {1500, 1500}));
  bench.arrive(chain(*bench.pool, {64}));
  const auto frames = receive_all(*bench.port, 1);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].size(), 64u);
  EXPECT_EQ(bench.counters().rx_too_long, 1u);
}

TEST(DpdkPort, DropsSegmentedFramesWhenNoBlockIsLeft) {
  RingBench bench;
  bench.arrive(chain(*bench.pool, {100, 100}));
  std::vector<base::Buffer> held;
  while (base::Buffer buffer = bench.pool->allocate(0, 1)) held.push_back(std::move(buffer));
  base::Buffer none;
  EXPECT_EQ(bench.port->receive(0, {&none, 1}), 0);
  EXPECT_EQ(bench.counters().rx_no_buffer, 1u);
}

TEST(DpdkPort, GivesBackWhatAFullRingRefuses) {
  RingBench bench(8);
  std::vector<base::Buffer> frames;
  for (std::uint8_t i = 0; i < 20; ++i) frames.push_back(frame_in(*bench.pool, ethernet_frame(1, 0, 60, i)));
  EXPECT_EQ(bench.port->transmit(0, frames), 7);  // a ring of 8 holds 7
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(static_cast<bool>(frames[i]), i >= 7) << i;
  EXPECT_EQ(bytes_of(frames[7]), ethernet_frame(1, 0, 60, 7));
  EXPECT_EQ(bench.counters().tx_refused, 13u);
  EXPECT_EQ(bench.port->transmit_room(0), 0u);
  base::Buffer none;
  bench.port->receive(0, {&none, 1});  // the next poll turn
  EXPECT_GT(bench.port->transmit_room(0), 0u);
}

TEST(DpdkPort, SendsMoreThanABurstAtOnce) {
  RingBench bench(256);
  std::vector<base::Buffer> frames;
  for (std::uint8_t i = 0; i < 200; ++i) frames.push_back(frame_in(*bench.pool, ethernet_frame(1, 0, 60, i)));
  EXPECT_EQ(bench.port->transmit(0, frames), 200);
  for (std::uint8_t i = 0; i < 200; ++i) {
    rte_mbuf* const mbuf = bench.sent();
    ASSERT_NE(mbuf, nullptr);
    EXPECT_EQ(*rte_pktmbuf_mtod_offset(mbuf, const std::uint8_t*, 20), i);
    rte_pktmbuf_free(mbuf);
  }
}

TEST(DpdkPort, SendsCopiesOfWhatItMayNotGiveAway) {
  RingBench bench;
  base::HeapBuffers heap;
  SilentAccount account;
  std::array<base::Buffer, 3> frames{heap.copy_of(ethernet_frame(1, 0, 60, 1)),
                                     frame_in(*bench.pool, ethernet_frame(1, 0, 60, 2)),
                                     frame_in(*bench.pool, ethernet_frame(1, 0, 60, 3))};
  const base::Buffer shared = frames[1].share();
  frames[2].pin(account);
  EXPECT_EQ(bench.port->transmit(0, frames), 3);
  EXPECT_EQ(bench.counters().tx_copied, 3u);
  EXPECT_EQ(account.pinned_bytes, 0u);
  EXPECT_EQ(heap.out(), 0u);
  EXPECT_EQ(shared.block().references, 1u);
  for (std::uint8_t i = 1; i <= 3; ++i) {
    rte_mbuf* const mbuf = bench.sent();
    ASSERT_NE(mbuf, nullptr);
    EXPECT_NE(mbuf, mbuf_of(shared.block()));
    EXPECT_EQ(*rte_pktmbuf_mtod_offset(mbuf, const std::uint8_t*, 20), i);
    rte_pktmbuf_free(mbuf);
  }
}

TEST(DpdkPort, DropsFramesLongerThanTheMtuAndSendsThoseAround) {
  RingBench bench;
  std::array<base::Buffer, 3> frames{frame_in(*bench.pool, ethernet_frame(1, 0, 60, 1)),
                                     frame_in(*bench.pool, ethernet_frame(1, 0, 1523, 2)),
                                     frame_in(*bench.pool, ethernet_frame(1, 0, 1522, 3))};
  EXPECT_EQ(bench.port->transmit(0, frames), 3);
  EXPECT_EQ(bench.counters().tx_too_long, 1u);
  for (const std::uint8_t fill : {1, 3}) {
    rte_mbuf* const mbuf = bench.sent();
    ASSERT_NE(mbuf, nullptr);
    EXPECT_EQ(*rte_pktmbuf_mtod_offset(mbuf, const std::uint8_t*, 20), fill);
    rte_pktmbuf_free(mbuf);
  }
  EXPECT_EQ(bench.sent(), nullptr);
}

TEST(DpdkPort, AsksTheDeviceForTheChecksumsAskedOfIt) {
  RingBench bench;
  const auto send = [&](base::FrameInfo wish, std::uint8_t first_of_ip) {
    base::Buffer frame = frame_in(*bench.pool, ethernet_frame(1, 0, 60, first_of_ip));
    frame.block().frame = wish;
    EXPECT_EQ(bench.port->transmit(0, {&frame, 1}), 1);
    rte_mbuf* const mbuf = bench.sent();
    const unsigned l2_length = mbuf->l2_len;
    const unsigned l3_length = mbuf->l3_len;
    const std::tuple result(mbuf->ol_flags, l2_length, l3_length);
    rte_pktmbuf_free(mbuf);
    return result;
  };
  base::FrameInfo wish;
  EXPECT_EQ(std::get<0>(send(wish, 0x45)), 0u);
  wish = {.sctp_checksum = base::Checksum::offload, .ipv4_checksum_offload = true, .l2_length = 14, .l3_length = 20};
  EXPECT_EQ(send(wish, 0x45),
            std::tuple(RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_SCTP_CKSUM, 14u, 20u));
  wish = {.sctp_checksum = base::Checksum::offload, .l2_length = 14, .l3_length = 40};
  EXPECT_EQ(send(wish, 0x60), std::tuple(RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_SCTP_CKSUM, 14u, 40u));
}

TEST(DpdkPort, TrustsNoVerdictOfADeviceThatChecksNothing) {
  RingBench bench;
  rte_mbuf* const mbuf = chain(*bench.pool, {64});
  mbuf->packet_type = RTE_PTYPE_L4_SCTP;
  mbuf->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD;
  bench.arrive(mbuf);
  const auto frames = receive_all(*bench.port, 1);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].block().frame.sctp_checksum, base::Checksum::unknown);
  EXPECT_FALSE(frames[0].block().frame.ipv4_checksum_good);
}

TEST(DpdkPort, HasAsManyQueuesAsItsDevice) {
  const auto pool = make_pool();
  std::array<PacketPool*, 3> pools{pool.get(), pool.get(), pool.get()};
  PortConfig config;
  config.name = "narrow";
  config.kind = PortKind::pcap;
  config.transmit_path = unique_path("narrow");
  config.queues = 3;
  const auto port = open_port(test::eal(), config, pools);
  EXPECT_EQ(port->info().receive_queues, 1);
  EXPECT_FALSE(port->info().offloads.spreads_flows);
  std::filesystem::remove(config.transmit_path);
}

TEST(DpdkPort, ReadsAndWritesCaptureFiles) {
  const std::string in = unique_path("in");
  const std::string out = unique_path("out");
  const auto frame = ethernet_frame(1, 0, 100, 7);
  PcapWriter(in).write(Timestamp{}, frame);
  const auto pool = make_pool();
  PortConfig config;
  config.name = "files";
  config.kind = PortKind::pcap;
  config.path = in;
  config.transmit_path = out;
  {
    const auto port = open_one(config, *pool);
    auto received = receive_all(*port, 1);
    ASSERT_EQ(received.size(), 1u);
    EXPECT_EQ(bytes_of(received[0]), frame);
    EXPECT_EQ(port->transmit(0, received), 1);
    EXPECT_EQ(port->device_counters().tx_packets, 1u);
  }
  EXPECT_EQ(std::filesystem::file_size(out), std::filesystem::file_size(in));
  std::filesystem::remove(in);
  std::filesystem::remove(out);
}

TEST(DpdkPort, MemifCarriesFramesBetweenTwoPorts) {
  const std::string path = unique_path("memif");
  const auto pool = make_pool(4096, block_bytes_for_mtu(9000));
  PortConfig config;
  config.kind = PortKind::memif;
  config.path = path;
  config.mtu = 9000;
  config.receive_descriptors = config.transmit_descriptors = 256;
  config.name = "server";
  config.role = PortRole::server;
  config.mac = test::mac(1);
  const auto server = open_one(config, *pool);
  EXPECT_FALSE(server->link().up) << "nobody is at the other end yet";
  config.name = "client";
  config.role = PortRole::client;
  config.mac = test::mac(2);
  auto client = open_one(config, *pool);
  EXPECT_EQ(client->info().mac, test::mac(2));
  ASSERT_TRUE(test::wait_for_link(*server, true));
  ASSERT_TRUE(test::wait_for_link(*client, true));
  for (const std::size_t size : {60, 1514, 9014}) {
    const auto bytes = ethernet_frame(1, 2, size, 0x3c);
    base::Buffer frame = frame_in(*pool, bytes);
    ASSERT_EQ(client->transmit(0, {&frame, 1}), 1);
    const auto received = receive_all(*server, 1);
    ASSERT_EQ(received.size(), 1u);
    EXPECT_EQ(bytes_of(received[0]), bytes);
  }
  client.reset();
  EXPECT_TRUE(test::wait_for_link(*server, false)) << "the peer is gone";
}

TEST(DpdkPort, VirtioUserAndVhostCarryFramesAndVhostWakesASleeper) {
  const std::string path = unique_path("vhost");
  const auto pool = make_pool(4096);
  PortConfig config;
  config.path = path;
  config.receive_descriptors = config.transmit_descriptors = 256;
  config.kind = PortKind::vhost;
  config.name = "host";
  const auto host = open_one(config, *pool);
  config.kind = PortKind::virtio_user;
  config.name = "guest";
  auto guest = open_one(config, *pool);
  ASSERT_TRUE(test::wait_for_link(*host, true));
  const auto carry = [&](Port& from, Port& to, std::uint8_t fill) {
    const auto bytes = ethernet_frame(1, 2, 1514, fill);
    base::Buffer frame = frame_in(*pool, bytes);
    EXPECT_EQ(from.transmit(0, {&frame, 1}), 1);
    const auto received = receive_all(to, 1);
    ASSERT_EQ(received.size(), 1u);
    EXPECT_EQ(bytes_of(received[0]), bytes);
  };
  carry(*guest, *host, 1);
  carry(*host, *guest, 2);
  EXPECT_EQ(guest->arm_receive_interrupt(0), -1);
  const int interrupt = host->arm_receive_interrupt(0);
  ASSERT_GE(interrupt, 0);
  base::Buffer none;
  EXPECT_EQ(host->receive(0, {&none, 1}), 0);
  base::Buffer frame = frame_in(*pool, ethernet_frame(1, 2, 60));
  ASSERT_EQ(guest->transmit(0, {&frame, 1}), 1);
  pollfd waiting{interrupt, POLLIN, 0};
  EXPECT_EQ(poll(&waiting, 1, 5000), 1) << "it slept on";
  host->disarm_receive_interrupt(0);
  EXPECT_EQ(poll(&waiting, 1, 0), 0) << "the event was not taken";
  EXPECT_EQ(receive_all(*host, 1).size(), 1u);
  guest.reset();
  EXPECT_TRUE(test::wait_for_link(*host, false)) << "the peer is gone";
}

TEST(DpdkPort, RemovesAStaleSocketButNoLivingOne) {
  const std::string path = unique_path("stale");
  const auto pool = make_pool();
  PortConfig config;
  config.name = "first";
  config.kind = PortKind::memif;
  config.path = path;
  {
    const auto first = open_one(config, *pool);
    config.name = "second";
    const std::string error = test::error_of(config);
    EXPECT_NE(error.find("port 'second': '" + path + "' is in use"), std::string::npos) << error;
  }
  // What a killed server leaves behind. (The PMD keeps its listening socket for as long as the process lives.)
  const std::string stale = unique_path("stale");
  const int socket = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  stale.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(socket);
  config.path = stale;
  EXPECT_EQ(test::error_of(config), "");
  { const PcapWriter no_socket(stale); }
  EXPECT_NE(test::error_of(config).find("or is no socket"), std::string::npos);
  std::filesystem::remove(stale);
}

TEST(DpdkPort, NamesWhatIsWrongWithItsConfiguration) {
  PortConfig config;
  config.name = "p0";
  config.interface = "sluice-none";
  EXPECT_EQ(test::error_of(config),
            "port 'p0': there is no interface 'sluice-none' in this network namespace; use one that 'ip link' shows");
  config.kind = PortKind::virtio_user;
  config.path = "/nonexistent/vhost";
  EXPECT_NE(test::error_of(config).find("port 'p0': there is no socket '/nonexistent/vhost'"), std::string::npos);
  config.role = PortRole::server;
  EXPECT_NE(test::error_of(config).find("port 'p0': virtio_user cannot make the socket"), std::string::npos);
  config.role.reset();
  config.kind = PortKind::pcap;
  EXPECT_NE(test::error_of(config).find("cannot be read: No such file"), std::string::npos);
  config.mtu = 9001;
  EXPECT_EQ(test::error_of(config), "port 'p0': MTU 9001 is not possible; use 1280 to 9000");
  config.name = "p 0";
  EXPECT_NE(test::error_of(config).find("its name must be"), std::string::npos);
}

TEST(DpdkPort, SaysWhatDpdkSaidWhenADeviceDoesNotStart) {
  PortConfig config;
  config.name = "bad";
  config.kind = PortKind::memif;
  config.path = unique_path("bad");
  config.arguments = "rsize=99";
  const std::string error = test::error_of(config);
  EXPECT_NE(error.find("port 'bad': memif device 'net_memif_bad' could not be set up"), std::string::npos) << error;
  EXPECT_NE(error.find("rsize=99"), std::string::npos) << error;
}

TEST(DpdkLog, SaysTheSameOnceInAWhile) {
  const DpdkLog log(base::LogLevel::warning);
  base::set_log_level(base::LogLevel::warning);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 100; ++i) rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "the link is gone\n");
  rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "the link is there\n");
  const std::string said = testing::internal::GetCapturedStderr();
  base::set_log_level(base::LogLevel::info);
  const std::size_t first = said.find("the link is gone");
  ASSERT_NE(first, std::string::npos) << said;
  EXPECT_EQ(said.find("the link is gone", first + 1), std::string::npos);
  EXPECT_NE(said.find("the link is there"), std::string::npos);
}

TEST(DpdkPort, SaysWhenThePoolHasTooFewBlocks) {
  const auto pool = make_pool(512);
  PortConfig config;
  config.name = "thirsty";
  config.kind = PortKind::null;
  try {
    open_one(config, *pool);
    FAIL();
  } catch (const SetupError& error) {
    EXPECT_NE(std::string(error.what()).find("port 'thirsty': its receive queues need 1088 blocks and pool '"),
              std::string::npos)
        << error.what();
  }
}

TEST(DpdkPort, CanBeOpenedAgainAfterItWasClosed) {
  const auto pool = make_pool();
  PortConfig config;
  config.name = "again";
  config.kind = PortKind::null;
  for (int i = 0; i < 3; ++i) EXPECT_NO_THROW(open_one(config, *pool));
}

TEST(Eal, StartsOnceInAProcess) {
  test::eal();
  EalConfig config;
  config.log_level = base::LogLevel::off;
  EXPECT_THROW(Eal second(config), SetupError);
}

}  // namespace
}  // namespace sluice::drivers
