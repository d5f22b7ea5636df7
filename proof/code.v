(* The programs of the free list, line by line.

     Rust      the body as it stands in the sources, without comments and attributes, its lines numbered
     model     the same, with the numbers of the lines that each line stands for

   A test compares the bodies with the sources (`tests/verification.rs`), so that a change of one demands a look at the other.
   What is left out, and why, stands in README.md. "h" is the head, "s" the first state word. *)
From tierpool Require Export machine.

Section code.
  Context `{!sizes}.

  (* Rust:
        | fn index(&self, head: HeadWord) -> u32 {
      1 |     head as u32 & self.mask
        | }
  *)
  (* Rust:
        | fn with_index(&self, head: HeadWord, index: u32) -> HeadWord {
      1 |     head & !HeadWord::from(self.mask) | HeadWord::from(index)
        | }
  *)
  (* Rust:
        | fn popped(&self, head: HeadWord, link: i32) -> HeadWord {
      1 |     head.wrapping_add(HeadWord::from(self.mask) + 2).wrapping_add(link as HeadWord)
        | }
  *)
  (* Rust:
        | pub(crate) fn pop(&self) -> Option<(u32, &'a StateWord)> {
      1 |     let backoff = Backoff::new();
      2 |     loop {
      3 |         let head = self.head.word.load(Acquire);
      4 |         let index = self.index(head);
      5 |         if index >= self.slots {
      6 |             return None;
        |         }
      7 |         let state = unsafe { self.state(index) };
      8 |         let link = state.link();
      9 |         let new = self.popped(head, link);
     10 |         if self.head.word.compare_exchange_weak(head, new, Relaxed, Relaxed).is_ok() {
     11 |             self.count_flip(head, new);
     12 |             return Some((index, state));
        |         }
     13 |         backoff.spin();
        |     }
        | }
  *)
  Definition pop : val := rec: "pop" "h" "s" :=
    let: "head" := !"h" in                                      (* 3 *)
    let: "index" := "head" `rem` #M in                          (* 4 *)
    if: #N ≤ "index" then NONE else                             (* 5, 6 *)
    let: "link" := link !("s" +ₗ "index") in                    (* 7, 8 *)
    let: "by" := #(M + 1) + "link" in                           (* 9: `popped` *)
    if: swap_weak true "h" "head" "by"                          (* 10, 12 *)
    then SOME "index" else "pop" "h" "s".

  (* Rust:
        | pub(crate) unsafe fn next_of(&self, index: u32) -> u32 {
      1 |     let link = unsafe { self.state(index) }.link();
      2 |     self.index(self.popped(HeadWord::from(index), link))
        | }
  *)
  (* Rust:
        | pub(crate) fn pop_chain(&self, mut most: u32) -> Option<(u32, u32)> {
      1 |     let backoff = Backoff::new();
      2 |     loop {
      3 |         let head = self.head.word.load(Acquire);
      4 |         let first = self.index(head);
      5 |         let (mut next, mut count) = (first, 0);
      6 |         while next < self.slots && count < most {
      7 |             next = unsafe { self.next_of(next) };
      8 |             count += 1;
        |         }
      9 |         if count == 0 {
     10 |             return None;
        |         }
     11 |         let new = self.with_index(head.wrapping_add(HeadWord::from(self.mask) + 1), next);
     12 |         if self.head.word.compare_exchange_weak(head, new, Relaxed, Relaxed).is_ok() {
     13 |             self.count_flip(head, new);
     14 |             return Some((first, count));
        |         }
     15 |         most -= most / 2;
     16 |         LOST.with(|lost| lost.set(lost.get() + 1));
     17 |         backoff.spin();
        |     }
        | }
  *)
  Definition walk : val := rec: "walk" "s" "next" "count" "most" :=
    if: #N ≤ "next" then ("next", "count") else                 (* 6 *)
    if: "most" ≤ "count" then ("next", "count") else            (* 6 *)
    let: "link" := link !("s" +ₗ "next") in                     (* 7: `next_of`, its 1 *)
    let: "below" := (("next" + #(M + 1) + "link") `rem` #M + #M) `rem` #M in (* its 2 *)
    "walk" "s" "below" ("count" + #1) "most".                   (* 8 *)

  Definition pop_chain : val := rec: "pop_chain" "h" "s" "most" :=
    let: "head" := !"h" in                                      (* 3 *)
    let: "first" := "head" `rem` #M in                          (* 4 *)
    let: "walked" := walk "s" "first" #0 "most" in              (* 5 to 8 *)
    let: "next" := Fst "walked" in
    let: "count" := Snd "walked" in
    if: "count" = #0 then NONE else                             (* 9, 10 *)
    let: "by" := #M - "first" + "next" in                       (* 11: the tag and one, the index `next` *)
    if: swap_weak true "h" "head" "by"                          (* 12, 14 *)
    then SOME ("first", "count")
    else "pop_chain" "h" "s" ("most" - "most" `quot` #2).       (* 15 *)

  (* Rust:
        | fn link(index: u32, below: u32) -> i32 {
      1 |     below.wrapping_sub(index).wrapping_sub(1) as i32
        | }
  *)
  (* Rust:
        | pub(crate) unsafe fn link_to(&self, index: u32, below: u32) {
      1 |     unsafe { self.state(index) }.set_free(Self::link(index, below));
        | }
  *)
  Definition link_to : val := λ: "s" "index" "below",
    set_free ("s" +ₗ "index") ("below" - "index" - #1).

  (* Rust:
        | pub(crate) unsafe fn push(&self, first: u32, last: u32) -> bool {
      1 |     let state = unsafe { self.state(last) };
      2 |     let backoff = Backoff::new();
      3 |     loop {
      4 |         let head = self.head.word.load(Relaxed);
      5 |         let top = self.index(head);
      6 |         if top > self.slots {
      7 |             return false;
        |         }
      8 |         state.set_free(Self::link(last, top));
      9 |         let new = self.with_index(head, first);
     10 |         if self.head.word.compare_exchange_weak(head, new, Release, Relaxed).is_ok() {
     11 |             return true;
        |         }
     12 |         backoff.spin();
        |     }
        | }
  *)
  Definition push : val := rec: "push" "h" "s" "first" "last" :=
    let: "head" := !"h" in                                      (* 4 *)
    let: "top" := "head" `rem` #M in                            (* 5 *)
    if: #N < "top" then #false else                             (* 6, 7 *)
    set_free ("s" +ₗ "last") ("top" - "last" - #1);;            (* 1, 8 *)
    let: "by" := "first" - "top" in                             (* 9: the index `first` *)
    if: swap_weak false "h" "head" "by" then #true else "push" "h" "s" "first" "last". (* 10, 11 *)

  (* Rust:
        | pub(crate) unsafe fn push_to_waiter(&self, first: u32, last: u32) -> bool {
      1 |     let head = self.head.word.replace(Release, |head| {
      2 |         unsafe { self.link_to(last, self.index(head).min(self.slots)) };
      3 |         self.with_index(head, first)
        |     });
      4 |     let waited = self.index(head) > self.slots;
      5 |     if waited {
      6 |         self.head.word.load(Acquire);
        |     }
      7 |     waited
        | }
  *)
  Definition push_to_waiter : val := rec: "push_to_waiter" "h" "s" "first" "last" :=
    let: "head" := !"h" in                                      (* 1: a loop of load and swap *)
    let: "top" := "head" `rem` #M in                            (* 2 *)
    link_to "s" "last" (if: #N < "top" then #N else "top");;  (* 2 *)
    let: "by" := "first" - "top" in                             (* 3 *)
    if: swap_weak false "h" "head" "by" then #N < "top"         (* 1, 4, 7 *)
    else "push_to_waiter" "h" "s" "first" "last".

  (* The line without a number tells a sanitizer, and is empty otherwise. *)
  (* Rust:
        | pub(crate) unsafe fn free(&self, index: u32) {
      - |     unsafe { self.poison(index) };
      1 |     unsafe { self.list.state(index) }.touch_write();
      2 |     if unsafe { !self.list.push(index, index) } {
      3 |         unsafe { self.free_out_of_line(index, index) }
        |     }
        | }
  *)
  (* Rust:
        | pub(crate) unsafe fn free_out_of_line(&self, first: u32, last: u32) {
      1 |     unsafe { self.list.state(last) }.touch_write();
      2 |     if unsafe { self.list.push_to_waiter(first, last) } {
      3 |         self.pool().notify();
        |     }
        | }
  *)
  Definition free : val := λ: "h" "s" "first" "last",
    if: push "h" "s" "first" "last" then #false else push_to_waiter "h" "s" "first" "last".

  (* Rust:
        | pub(crate) fn arm(&self) -> bool {
      1 |     loop {
      2 |         let head = self.head.word.load(Relaxed);
      3 |         if self.index(head) < self.slots {
      4 |             return false;
        |         }
      5 |         let waited = self.with_index(head, self.slots + 1);
      6 |         if self.head.word.compare_exchange_weak(head, waited, Release, Relaxed).is_ok() {
      7 |             return true;
        |         }
        |     }
        | }
  *)
  Definition arm : val := rec: "arm" "h" :=
    let: "head" := !"h" in                                      (* 2 *)
    let: "top" := "head" `rem` #M in                            (* 3 *)
    if: "top" < #N then #false else                             (* 3, 4 *)
    let: "by" := #(N + 1) - "top" in                            (* 5 *)
    if: swap_weak false "h" "head" "by" then #true else "arm" "h". (* 6, 7 *)
End code.
