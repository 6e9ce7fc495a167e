#include "kernels/simt/emulator/machine/scheduler.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace hearth::simt {

void Scheduler::ready(Thread* thread) {
    if (head_ == queue_.size()) {
        queue_.clear();
        head_ = 0;
    }
    queue_.push_back(thread);
}

void Scheduler::ready_all(std::vector<Thread*>& threads) {
    if (schedule_ == Schedule::kReverse) {
        std::sort(threads.begin(), threads.end(), [](const Thread* a, const Thread* b) { return a->index > b->index; });
    }
    for (Thread* thread : threads) ready(thread);
    threads.clear();
}

Thread* Scheduler::next() {
    if (stop_ || head_ == queue_.size()) return nullptr;
    if (schedule_ == Schedule::kRandom) {
        random_ = random_ * 6364136223846793005u + 1442695040888963407u;
        std::swap(queue_[head_], queue_[head_ + (random_ >> 33) % (queue_.size() - head_)]);
    }
    Thread* thread = queue_[head_++];
    if (head_ >= 4096 && head_ * 2 > queue_.size()) {  // keeps a queue that never runs empty short
        queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(head_));
        head_ = 0;
    }
    return thread;
}

void Scheduler::leave(Thread* from, bool ends) {
    Thread* to = next();
    if (to == from) return;
    ++switches_;
    current = to;
    switch_fiber(from->fiber, to != nullptr ? to->fiber : main_, ends);
}

void Scheduler::park(Wait wait, Where where) {
    Thread* self = current;
    self->wait = wait;
    self->wait_where = where;
    leave(self, false);
    self->wait = Wait::kNothing;
}

void Scheduler::yield(Wait wait, Where where) {
    ready(current);
    park(wait, where);
}

void Scheduler::end() {
    leave(current, true);
    std::abort();  // an ended thread was made ready
}

void Scheduler::run() {
    stop_ = false;
    adopt_os_thread(main_);
    Thread* to = next();
    if (to == nullptr) return;
    ++switches_;
    current = to;
    switch_fiber(main_, to->fiber);
    current = nullptr;
}

void Scheduler::forget(const Block* block) {
    queue_.erase(
        std::remove_if(queue_.begin() + static_cast<std::ptrdiff_t>(head_), queue_.end(), [&](Thread* t) { return t->block == block; }),
        queue_.end());
}

}  // namespace hearth::simt
