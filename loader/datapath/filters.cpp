// SPDX-License-Identifier: GPL-2.0-only
// cls_bpf filters by libbpf, and the question whether a qdisc is still needed by netlink.
#include "loader/datapath/filters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_sched.h>
#include <net/if.h>
#include <netlink/route/classifier.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "loader/bpf/handles.h"
#include "loader/netlink/socket.h"

namespace fw::datapath {
namespace {

// Where our filter stands among others: late, so that what an administrator put first stays first.
constexpr std::uint32_t kPriority = 0xf3d0;
constexpr std::uint32_t kHandle = 0xf3d;

bpf_tc_attach_point attach_point(Hook hook) {
  return hook == Hook::kEgress ? BPF_TC_EGRESS : BPF_TC_INGRESS;
}

bpf_tc_hook to_hook(std::uint32_t ifindex, bpf_tc_attach_point point) {
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex), .attach_point = point);
  return hook;
}

std::uint32_t map_id(int map) {
  bpf_map_info info{};
  std::uint32_t length = sizeof(info);
  return bpf_obj_get_info_by_fd(map, &info, &length) == 0 ? info.id : 0;
}

bool uses_map(std::uint32_t program_id, std::uint32_t wanted) {
  const bpf::Fd program{bpf_prog_get_fd_by_id(program_id)};
  if (!program) return false;
  std::array<std::uint32_t, 64> ids{};
  bpf_prog_info info{};
  info.nr_map_ids = ids.size();
  info.map_ids = reinterpret_cast<std::uintptr_t>(ids.data());  // NOLINT: the kernel's interface
  std::uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(program.get(), &info, &length) != 0) return false;
  return std::find(ids.begin(), ids.begin() + std::min<std::size_t>(info.nr_map_ids, ids.size()),
                   wanted) != ids.begin() + std::min<std::size_t>(info.nr_map_ids, ids.size());
}

// True also when the kernel does not say: a qdisc too many does no harm.
bool has_filters(std::uint32_t ifindex) {
  auto socket = netlink::connect();
  if (!socket) return true;
  for (const std::uint32_t side : {TC_H_MIN_INGRESS, TC_H_MIN_EGRESS}) {
    nl_cache* cache = nullptr;
    if (rtnl_cls_alloc_cache(socket->get(), static_cast<int>(ifindex), TC_H_MAKE(TC_H_CLSACT, side),
                             &cache) < 0)
      return true;
    const netlink::Cache filters{cache};
    if (nl_cache_nitems(cache) > 0) return true;
  }
  return false;
}

}  // namespace

Filters::Filters(std::string markers, int active_map)
    : markers_(std::move(markers)), active_map_(active_map), active_id_(map_id(active_map)) {}

std::string Filters::marker(std::uint32_t ifindex) const {
  return markers_ + "/" + std::to_string(ifindex) + "_qdisc";
}

std::uint32_t Filters::our_program(const HookPoint& point) const {
  const bpf_tc_hook hook = to_hook(point.ifindex, attach_point(point.hook));
  LIBBPF_OPTS(bpf_tc_opts, query, .handle = kHandle, .priority = kPriority);
  if (bpf_tc_query(&hook, &query) != 0) return 0;
  return uses_map(query.prog_id, active_id_) ? query.prog_id : 0;
}

Result<void> Filters::ensure_qdisc(const HookPoint& point) {
  bpf_tc_hook hook = to_hook(point.ifindex, attach_point(point.hook));
  const int failed = bpf_tc_hook_create(&hook);
  if (failed == -EEXIST) return {};
  if (failed != 0)
    return Error::from_errno("adding a clsact qdisc to interface " + std::to_string(point.ifindex),
                             -failed);
  // Any pin does as a mark; an index is used again only after a reboot or a removed interface.
  unlink(marker(point.ifindex).c_str());
  if (bpf_obj_pin(active_map_, marker(point.ifindex).c_str()) != 0)
    return Error::from_errno("pinning " + marker(point.ifindex));
  return {};
}

Result<void> Filters::ensure(const HookPoint& point, int program) {
  if (auto ready = ensure_qdisc(point); !ready) return ready;
  const bpf_tc_hook hook = to_hook(point.ifindex, attach_point(point.hook));
  LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .handle = kHandle, .priority = kPriority);
  if (our_program(point) != 0) options.flags = BPF_TC_F_REPLACE;
  const int failed = bpf_tc_attach(&hook, &options);
  if (failed == -EEXIST)
    return Error{"interface " + std::to_string(point.ifindex) +
                     " has a TC filter of somebody else at fwd's priority " +
                     std::to_string(kPriority) + ": remove it",
                 EEXIST};
  if (failed != 0)
    return Error::from_errno("adding a TC filter to interface " + std::to_string(point.ifindex),
                             -failed);
  return {};
}

Result<void> Filters::remove(const HookPoint& point) {
  if (our_program(point) != 0) {
    const bpf_tc_hook hook = to_hook(point.ifindex, attach_point(point.hook));
    LIBBPF_OPTS(bpf_tc_opts, options, .handle = kHandle, .priority = kPriority);
    if (const int failed = bpf_tc_detach(&hook, &options); failed != 0 && failed != -ENOENT)
      return Error::from_errno("removing a TC filter", -failed);
  }
  return drop_empty_qdisc(point.ifindex);
}

Result<void> Filters::drop_empty_qdisc(std::uint32_t ifindex) {
  const std::string mark = marker(ifindex);
  if (access(mark.c_str(), F_OK) != 0) return {};
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(ifindex, name.data()) != nullptr) {
    if (has_filters(ifindex)) return {};
    bpf_tc_hook hook = to_hook(
        ifindex, static_cast<bpf_tc_attach_point>(unsigned{BPF_TC_INGRESS} | BPF_TC_EGRESS));
    if (const int failed = bpf_tc_hook_destroy(&hook); failed != 0 && failed != -ENOENT)
      return Error::from_errno("removing a clsact qdisc", -failed);
  }
  if (unlink(mark.c_str()) != 0) return Error::from_errno("removing " + mark);
  return {};
}

std::vector<HookPoint> Filters::attached() const {
  std::vector<HookPoint> points;
  const std::unique_ptr<struct if_nameindex, bpf::DestroyWith<if_freenameindex>> interfaces{
      if_nameindex()};
  if (!interfaces) return points;
  for (const auto* each = interfaces.get(); each->if_index != 0; ++each)
    for (const Hook hook : {Hook::kIngress, Hook::kEgress})
      if (const HookPoint point{each->if_index, hook}; our_program(point) != 0)
        points.push_back(point);
  return points;
}

}  // namespace fw::datapath
