#include "runtime/weights.h"

#include <unordered_set>

namespace hearth {
namespace {

// Sums sizes, each piece of memory once.
class Counter {
public:
    void add(const void* data, int64_t bytes) {
        if (data != nullptr && seen_.insert(data).second) total_ += bytes;
    }
    void add(const DeviceVector& v) { add(v.bytes.get(), v.size * int64_t{sizeof(float)}); }
    void add(const DeviceWeight& w) { add(w.weight.data, w.weight.bytes); }
    void add(const std::vector<Weight>& weights) {
        for (const Weight& w : weights) add(w.data, w.bytes);
    }
    int64_t total() const { return total_; }

private:
    std::unordered_set<const void*> seen_;
    int64_t total_ = 0;
};

}  // namespace

int64_t Weights::total_bytes() const {
    Counter counter;
    counter.add(embed);
    counter.add(head);
    counter.add(final_norm);
    for (const LayerWeights& l : layers) {
        for (const auto* v :
             {&l.attention_norm, &l.qkv_bias, &l.q_norm, &l.k_norm, &l.out_bias, &l.mlp_norm, &l.gate_bias, &l.up_bias, &l.down_bias})
            counter.add(*v);
        for (const auto* w : {&l.qkv, &l.out, &l.gate, &l.up, &l.down, &l.router}) counter.add(*w);
        for (const auto* experts : {&l.expert_gate, &l.expert_up, &l.expert_down}) counter.add(*experts);
    }
    return counter.total();
}

}  // namespace hearth
