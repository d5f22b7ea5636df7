(* The numbers of a list, and the arithmetic of its head.

     head    | tag: W values ........ | index: M values |      number = tag * M + index
                                        0 .. N - 1: the slot on top
                                        N: empty    N + 1: empty, and somebody waits

   In the sources N is `slots`, M is `mask + 1`, and W * M is 2^32 (or 2^64). *)
From iris.prelude Require Export prelude.

Class sizes := StaticLayout {
  N : nat; (* slots *)
  M : nat; (* values of the index *)
  W : nat; (* values of the tag: 2^T *)
  slots_have_a_link : (N ≤ 1022)%nat; (* MAX_SLOTS *)
  index_has_room : (N + 1 < M)%nat;
  tag_has_room : (0 < W)%nat;
}.

Section head.
  Context `{!sizes}.
  Implicit Types (t : nat) (z i : Z) (w : bool) (xs ys : list nat).

  Definition empty_index w : Z := if w then (N + 1)%Z else Z.of_nat N.

  (* The first slot of a list, or z where there is none. *)
  Definition first_or xs z : Z := match xs with [] => z | x :: _ => Z.of_nat x end.

  Definition head_word t xs w : Z := (t * M + first_or xs (empty_index w))%Z.

  (* All values of a head as the machine sees it. *)
  Definition WM : Z := (W * M)%Z.

  Lemma M_pos : (0 < M)%Z.
  Proof. pose proof index_has_room. lia. Qed.

  Lemma WM_pos : (0 < WM)%Z.
  Proof. pose proof index_has_room. pose proof tag_has_room. unfold WM. nia. Qed.

  Lemma first_or_app xs ys z : first_or (xs ++ ys) z = first_or xs (first_or ys z).
  Proof. by destruct xs. Qed.

  Lemma index_of_head t i : (0 ≤ i < M)%Z → ((t * M + i)%Z `rem` M)%Z = i.
  Proof.
    intros Hi. rewrite Z.rem_mod_nonneg; [|lia|lia].
    rewrite Z.add_comm Z.mod_add; [|lia]. by apply Z.mod_small.
  Qed.

  (* Whoever compares heads has compared their indices, whatever the tags are. *)
  Lemma same_index t1 t2 i1 i2 : (0 ≤ i1 < M)%Z → (0 ≤ i2 < M)%Z →
    ((t1 * M + i1) `rem` WM = (t2 * M + i2) `rem` WM)%Z → i1 = i2.
  Proof.
    intros H1 H2 Heq. pose proof WM_pos. pose proof M_pos. pose proof tag_has_room.
    rewrite !Z.rem_mod_nonneg in Heq; [|nia..].
    assert (∀ t i, (0 ≤ i < M)%Z → (((t * M + i) mod WM) mod M = i)%Z) as Hmod.
    { intros t i Hi. assert (Z.of_nat M ≠ 0)%Z as HM by lia. unfold WM. rewrite (Z.mul_comm W M) Z.rem_mul_r; [|lia..].
      pose proof (Z.mod_add i t M HM) as E. rewrite (Z.add_comm i) (Z.mod_small i) in E; [|done].
      pose proof (Z.mod_add ((t * M + i) mod M)%Z (((t * M + i) / M) mod W)%Z M HM) as E2.
      rewrite (Z.mul_comm M). rewrite E2 E. by apply Z.mod_small. }
    by rewrite -(Hmod t1 i1) // Heq Hmod.
  Qed.

  (* Who has not slept through W pops has compared the tags as well. *)
  Lemma same_tag t1 t2 i1 i2 : (0 ≤ i1 < M)%Z → (0 ≤ i2 < M)%Z →
    (t1 ≤ t2)%nat → ((t2 * M + i2) < (t1 * M + i1) + WM)%Z →
    ((t2 * M + i2) `rem` WM = (t1 * M + i1) `rem` WM)%Z → t1 = t2.
  Proof.
    intros H1 H2 Hle Hawake Heq. pose proof WM_pos.
    pose proof (same_index _ _ _ _ H2 H1 Heq) as ->.
    rewrite !Z.rem_mod_nonneg in Heq; [|nia..].
    destruct (decide (t1 = t2)) as [|Hne]; [done|]. exfalso.
    assert (WM ≠ 0)%Z as HWM by lia.
    pose proof (Z.div_mod (t2 * M + i1) WM HWM) as E2.
    pose proof (Z.div_mod (t1 * M + i1) WM HWM) as E1.
    rewrite Heq in E2.
    set (q2 := ((t2 * M + i1) `div` WM)%Z) in *. set (q1 := ((t1 * M + i1) `div` WM)%Z) in *.
    assert (t1 * M < t2 * M)%Z by nia.
    assert (q1 < q2)%Z by nia. nia.
  Qed.

  (* What a walk makes of a link is an index ... *)
  Lemma masked_bound z : (0 ≤ (z `rem` M + M) `rem` M < M)%Z.
  Proof.
    assert (Z.of_nat M ≠ 0)%Z as HM by (pose proof M_pos; lia).
    pose proof (Z.rem_bound_abs z M HM).
    apply Z.rem_bound_pos; lia.
  Qed.

  (* ... and the right one where the link is current. *)
  Lemma masked_index i : (0 ≤ i < M)%Z → (((i + M) `rem` M + M) `rem` M)%Z = i.
  Proof.
    intros Hi. replace (i + M)%Z with (1%nat * M + i)%Z by lia. rewrite index_of_head; [|done].
    replace (i + M)%Z with (1%nat * M + i)%Z by lia. by rewrite index_of_head.
  Qed.
End head.

Global Opaque WM.
