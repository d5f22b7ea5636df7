(* The programs: src/free_list.rs line by line.

   Above each stands the body that it models, as it stands in the sources, without comments. A test compares the two
   (`tests/verification.rs`), so that a change of one demands a look at the other. A line without a number has no counterpart
   here: docs/verification.md says why. *)
From tierpool Require Export machine.

Section code.
  Context `{!sizes}.

  Definition pop_or_head : val := rec: "pop" "h" "s" :=
    let: "head" := !"h" in
    let: "index" := "head" `rem` #M in
    if: #N ≤ "index" then InjL "head" else
    let: "link" := link !("s" +ₗ "index") in
    let: "by" := #(M + 1) + "link" in
    if: swap_weak true "h" "head" "by"
    then InjR "index" else "pop" "h" "s".

  Definition pop : val := λ: "h" "s",
    match: pop_or_head "h" "s" with InjL <> => NONE | InjR "index" => SOME "index" end.

  Definition walk : val := rec: "walk" "s" "next" "count" "most" :=
    if: #N ≤ "next" then ("next", "count") else
    if: "most" ≤ "count" then ("next", "count") else
    let: "link" := link !("s" +ₗ "next") in
    let: "below" := (("next" + #(M + 1) + "link") `rem` #M + #M) `rem` #M in
    "walk" "s" "below" ("count" + #1) "most".

  Definition pop_chain : val := rec: "pop_chain" "h" "s" "most" :=
    let: "head" := !"h" in
    let: "first" := "head" `rem` #M in
    let: "walked" := walk "s" "first" #0 "most" in
    let: "next" := Fst "walked" in
    let: "count" := Snd "walked" in
    if: "count" = #0 then NONE else
    let: "by" := #M - "first" + "next" in
    if: swap_weak true "h" "head" "by"
    then SOME ("first", "count") else "pop_chain" "h" "s" "most".

  Definition put_above : val := λ: "s" "index" "below",
    set_free ("s" +ₗ "index") ("below" - "index" - #1).

  Definition push : val := rec: "push" "h" "s" "first" "last" :=
    let: "head" := !"h" in
    let: "top" := "head" `rem` #M in
    if: #N < "top" then #false else
    set_free ("s" +ₗ "last") ("top" - "last" - #1);;
    let: "by" := "first" - "top" in
    if: swap_weak false "h" "head" "by" then #true else "push" "h" "s" "first" "last".

  Definition push_to_waiter : val := rec: "push_to_waiter" "h" "s" "first" "last" :=
    let: "head" := !"h" in
    let: "top" := "head" `rem` #M in
    put_above "s" "last" (if: #N < "top" then #N else "top");;
    let: "by" := "first" - "top" in
    if: swap_weak false "h" "head" "by" then #N < "top"
    else "push_to_waiter" "h" "s" "first" "last".

  Definition free : val := λ: "h" "s" "first" "last",
    if: push "h" "s" "first" "last" then #false else push_to_waiter "h" "s" "first" "last".

  Definition arm : val := rec: "arm" "h" :=
    let: "head" := !"h" in
    let: "top" := "head" `rem` #M in
    if: "top" < #N then #false else
    let: "by" := #(N + 1) - "top" in
    if: swap_weak false "h" "head" "by" then #true else "arm" "h".
End code.
