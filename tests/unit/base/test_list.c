#include <criterion/criterion.h>

#include "base/list.h"

struct item {
    int number;
    struct rtn_list node;
};

static struct item *item_of(struct rtn_list *node)
{
    return RTN_CONTAINER_OF(node, struct item, node);
}

static void fill(struct rtn_list *head, struct item *items, int count)
{
    rtn_list_init(head);
    for (int i = 0; i < count; i++) {
        items[i].number = i;
        rtn_list_append(head, &items[i].node);
    }
}

static int digits_of(struct rtn_list *head)
{
    int digits = 0;

    RTN_LIST_FOREACH (node, head)
        digits = digits * 10 + item_of(node)->number + 1;
    return digits;
}

Test(list, append_keeps_order)
{
    struct item items[4];
    struct rtn_list head;

    fill(&head, items, 0);
    cr_assert(rtn_list_empty(&head));
    cr_assert_eq(digits_of(&head), 0);
    fill(&head, items, 4);
    cr_assert_not(rtn_list_empty(&head));
    cr_assert_eq(digits_of(&head), 1234);
}

Test(list, remove_is_safe_twice)
{
    struct item items[3];
    struct rtn_list head;

    fill(&head, items, 3);
    rtn_list_remove(&items[1].node);
    rtn_list_remove(&items[1].node);
    cr_assert(rtn_list_empty(&items[1].node));
    cr_assert_eq(digits_of(&head), 13);
}

Test(list, pop)
{
    struct item items[2];
    struct rtn_list head;

    fill(&head, items, 2);
    cr_assert_eq(rtn_list_pop(&head), &items[0].node);
    cr_assert_eq(rtn_list_pop(&head), &items[1].node);
    cr_assert_null(rtn_list_pop(&head));
}

Test(list, splice)
{
    struct item items[2];
    struct item more[4];
    struct rtn_list head;
    struct rtn_list from;

    fill(&head, items, 2);
    fill(&from, more, 4);
    rtn_list_splice(&head, &from);
    cr_assert(rtn_list_empty(&from));
    cr_assert_eq(digits_of(&head), 121234);
    rtn_list_splice(&head, &from);
    cr_assert_eq(digits_of(&head), 121234);
    rtn_list_splice(&from, &head);
    cr_assert(rtn_list_empty(&head));
    cr_assert_eq(digits_of(&from), 121234);
    cr_assert_eq(head.prev, &head);
}

Test(list, foreach_may_remove_the_current_node)
{
    struct item items[5];
    struct rtn_list head;

    fill(&head, items, 5);
    RTN_LIST_FOREACH (node, &head) {
        if (item_of(node)->number % 2 == 0) {
            rtn_list_remove(node);
            item_of(node)->node.next = NULL;
        }
    }
    cr_assert_eq(digits_of(&head), 24);
}

Test(list, foreach_nests)
{
    struct item items[3];
    struct rtn_list head;
    int pairs = 0;

    fill(&head, items, 3);
    RTN_LIST_FOREACH (a, &head) {
        RTN_LIST_FOREACH (b, &head)
            pairs += item_of(a)->number * item_of(b)->number;
    }
    cr_assert_eq(pairs, 9);
}
