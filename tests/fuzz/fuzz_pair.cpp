// Two live stacks, driven by the input's bytes: what their applications ask, how time passes, what the wire does to
// frames, and what a hostile station sends in between. The first bytes say what the stacks are like (pair/pair.cpp);
// then each operation is one byte and its arguments.
#include "tests/fuzz/pair/hostile.hpp"
#include "tests/fuzz/pair/input.hpp"
#include "tests/fuzz/pair/pair.hpp"

namespace {

using namespace sluice;        // NOLINT
using namespace sluice::fuzz;  // NOLINT
using std::chrono::microseconds;
using std::chrono::milliseconds;

/// The lower five bits of an operation. Seeds and the dictionary count on these numbers.
enum class Op : std::uint8_t {
  turn,
  pass,
  next_deadline,
  run_for,
  jump,
  connect,
  send,
  send_part,
  send_burst,
  shutdown,
  abort,
  set_primary,
  toggle_endpoint,
  pause,
  hold,
  release,
  disturb,
  black_hole,
  mtu,
  slow,
  link,
  stall,
  receive_blocks,
  heal,
  hold_up,
  mutate,
  forge,
  stranger,
  raw,
  icmp,
  restart,
  stray,
};
constexpr std::uint8_t kSide = 0x20;     // whose
constexpr std::uint8_t kSettle = 0x40;   // and let everybody finish
constexpr std::uint8_t kVariant = 0x80;  // what that means is the operation's

class Interpreter {
 public:
  explicit Interpreter(Input& input) : input_(input), drains_((input.u8() & 1) == 0), pair_(input) {}

  void run() {
    for (int operations = 0; !input_.empty() && operations < kMostOperations && !pair_.exhausted(); ++operations) {
      const std::uint8_t code = input_.u8();
      side_ = (code & kSide) != 0 ? 1 : 0;
      variant_ = (code & kVariant) != 0;
      execute(static_cast<Op>(code & 0x1f));
      if ((code & kSettle) != 0) pair_.settle();
      if (operations % 8 == 7) pair_.check();
    }
    pair_.check();
    // Else both go as they are, with all that they have out.
    if (drains_) pair_.drain();
  }

 private:
  static constexpr int kMostOperations = 600;

  void execute(Op op) {
    if (op <= Op::jump) return pass_time(op);
    if (op <= Op::release || op == Op::stray) return use(op);
    if (op <= Op::hold_up) return disturb(op);
    attack(op);
  }

  void pass_time(Op op) {
    switch (op) {
      case Op::turn:
        static_cast<void>(pair_.step_all());
        break;
      case Op::pass:
        pair_.jump(microseconds(100) * input_.u8());
        break;
      case Op::next_deadline:
        pair_.advance();
        break;
      case Op::run_for:
        pair_.run_for(milliseconds(50) * (1 + input_.u8()));
        break;
      default:
        pair_.jump(milliseconds(100) * (1 << input_.below(8)) * (variant_ ? 16 : 1));
    }
  }

  Application& application() { return pair_.application(side_); }
  sim::SimStack& stack() { return pair_.stack(side_); }
  worker::Worker& owner(const Flow& flow) { return stack().worker(worker::owner_of(flow.association)); }

  /// What the application does.
  void use(Op op) {
    switch (op) {
      case Op::connect:
        return connect();
      case Op::toggle_endpoint:
        return pair_.toggle_endpoint(side_, variant_ ? 1 : 0);
      case Op::pause:
        return application().set_paused(variant_);
      case Op::hold:
        return application().set_holding(variant_);
      case Op::release:
        return application().release(1u + input_.u8(), variant_);
      case Op::stray:
        return stray();
      default:
        if (Flow* const flow = application().flow(input_.u8())) use(op, *flow);
    }
  }

  void use(Op op, Flow& flow) {
    switch (op) {
      case Op::send: {
        const std::uint8_t stream = input_.u8();
        application().send(flow, stream, length(), variant_);
        break;
      }
      case Op::send_part: {
        const std::uint8_t stream = input_.u8();
        const std::uint32_t whole = length();
        const std::uint32_t part = length();
        if (part == 13) return application().send_wrong_part(flow, stream);
        application().send_part(flow, stream, whole, part, variant_, part > 4000);
        break;
      }
      case Op::send_burst: {
        const std::uint8_t count = input_.u8();
        const std::uint32_t each = length();
        for (std::uint32_t i = 0; i < count % 64u; ++i)
          if (application().send(flow, static_cast<std::uint16_t>(i * (count / 64u)), each, variant_) !=
              assoc::SendStatus::queued)
            break;
        break;
      }
      case Op::shutdown:
        owner(flow).shutdown(flow.association);
        break;
      case Op::abort:
        owner(flow).abort(flow.association, variant_ ? std::string_view{} : std::string_view("by the fuzzer"));
        break;
      default:
        owner(flow).set_primary(flow.association, PathId(input_.u8()));
    }
  }

  /// From 1 to some 16 000: most are small.
  std::uint32_t length() {
    const std::uint32_t code = input_.u8();
    return code < 128 ? 1 + code : (code - 127) * (code - 127);
  }

  void connect() {
    const std::uint8_t how = input_.u8();
    sim::SimStack& peer = pair_.stack(1 - side_);
    const IpAddress first = (how & 1) != 0 ? peer.v6() : peer.v4();
    const IpAddress second = (how & 2) != 0 ? IpAddress::v4(0xc6120063) : (how & 1) != 0 ? peer.v4() : peer.v6();
    const IpAddress both[] = {first, second};
    const std::span<const IpAddress> peers = std::span(both).first((how & 4) != 0 ? 2 : 1);
    const std::uint16_t port = (how & 8) != 0 ? Pair::kPort + 1 : Pair::kPort;
    application().connect(pair_.endpoint(side_, variant_ ? 0 : 1), peers, port, how >> 4 & 1);
  }

  /// Calls for associations that are not up yet, are ending, or belong to the other stack.
  void stray() {
    const std::uint8_t which = input_.u8();
    const std::uint8_t what = input_.u8();
    if (what % 5 == 4) return set_parameters(which);
    std::vector<AssocId> ids;
    const std::uint32_t of = variant_ ? 1 - side_ : side_;
    pair_.for_each_association(of, [&](const assoc::Association& association) { ids.push_back(association.id()); });
    for (const Flow& flow : pair_.application(of).flows())
      if (flow.ended && ids.size() < 16) ids.push_back(flow.association);
    if (ids.empty()) return;
    const AssocId id = ids[which % ids.size()];
    worker::Worker& worker = stack().worker(what >> 7 & (stack().workers() - 1u));
    assoc::Snapshot snapshot;
    switch (what % 5) {
      case 0:
        worker.shutdown(id);
        break;
      case 1:
        worker.abort(id, "stray");
        break;
      case 2:
        worker.set_primary(id, PathId(input_.u8()));
        break;
      default:
        worker.snapshot(id, snapshot);
    }
  }

  void set_parameters(std::uint8_t which) {
    Parameters parameters;
    parameters.outbound_streams = static_cast<std::uint16_t>(1 + input_.u8());
    parameters.sack_frequency = static_cast<std::uint16_t>(1 + input_.below(4));
    parameters.max_burst = static_cast<std::uint16_t>(input_.below(8));
    parameters.receive_window = 1500 + input_.u8() * 100u;
    parameters.rto_max = std::chrono::seconds(2);
    stack().worker(0).set_parameters(sim::kInline, pair_.endpoint(side_, which % 2), parameters, 3);
  }

  /// What becomes of the wire on the way from a side, and of its port.
  void disturb(Op op) {
    const auto port = static_cast<std::uint16_t>(side_);
    drivers::WireConditions conditions = pair_.conditions(side_);
    switch (op) {
      case Op::disturb: {
        const std::uint8_t what = input_.u8();
        const std::uint32_t often = input_.u8() * 2000u;
        if ((what & 1) != 0) conditions.loss = often;
        if ((what & 2) != 0) conditions.duplication = often;
        if ((what & 4) != 0) conditions.reordering = often;
        if ((what & 8) != 0) conditions.corruption = often;
        if ((what & 16) != 0) conditions.burst_loss = often;
        break;
      }
      case Op::black_hole:
        conditions.down = variant_;
        break;
      case Op::mtu:
        conditions.mtu = static_cast<std::uint16_t>(600 + 4 * input_.u8());
        pair_.set_router_tells(variant_);
        break;
      case Op::slow:
        conditions.delay = milliseconds(input_.u8());
        conditions.jitter = milliseconds(input_.below(32));
        conditions.bits_per_second = input_.u8() * 40'000u;
        conditions.queue_bytes = 6'000;
        conditions.queue_refuses = variant_;
        break;
      case Op::link:
        return pair_.wire().set_link(port, !variant_);
      case Op::stall:
        return pair_.wire().set_transmit_stalled(port, variant_);
      case Op::receive_blocks:
        return pair_.wire().set_receive_blocks(port, variant_ ? UINT32_MAX : input_.below(32));
      case Op::heal:
        return pair_.heal();
      default:
        return pair_.set_held_up(side_, input_.u8(), variant_);
    }
    pair_.set_conditions(side_, conditions);
  }

  void attack(Op op) {
    Hostile hostile(pair_, input_);
    switch (op) {
      case Op::mutate:
        return hostile.send_mutation(side_, variant_);
      case Op::forge:
        return hostile.send_forgery(side_);
      case Op::stranger:
        return variant_ ? hostile.echo_cookie(side_) : hostile.send_stranger(side_);
      case Op::raw:
        return hostile.send_raw(side_);
      case Op::icmp: {
        const std::span<const std::byte> frame = pair_.captured(input_.below(Pair::kCaptured));
        pair_.set_inexact();
        return pair_.router().dropped(frame, static_cast<std::uint16_t>(68 + input_.u8() * 8));
      }
      default:
        return pair_.restart(side_);
    }
  }

  Input& input_;
  bool drains_;
  Pair pair_;
  std::uint32_t side_ = 0;
  bool variant_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(std::as_bytes(std::span(data, size)));
  Interpreter(input).run();
  return 0;
}
