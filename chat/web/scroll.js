// Follows an answer as it grows, until the reader scrolls up; goes on when they come back to the end.

const kNear = 40; // pixels from the end that count as the end

export class Follower {
  constructor(area, button) {
    this.area = area;
    this.button = button;
    this.following = true;
    area.addEventListener("scroll", () => {
      this.following = this.atEnd();
      this.update();
    }, { passive: true });
    // Wheel and keys are heard before the scroll that they cause: an answer that grows in between must not pull back.
    area.addEventListener("wheel", (event) => { if (event.deltaY < 0) this.following = false; }, { passive: true });
    button.addEventListener("click", () => this.toEnd());
  }

  atEnd() {
    return this.area.scrollHeight - this.area.scrollTop - this.area.clientHeight < kNear;
  }

  /** The content grew. */
  grown() {
    if (this.following) this.area.scrollTop = this.area.scrollHeight;
    this.update();
  }

  toEnd() {
    this.following = true;
    this.grown();
  }

  update() {
    this.button.hidden = this.following || this.atEnd();
  }
}
