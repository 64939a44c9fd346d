package org.davit.hawkbit;

import com.vaadin.annotations.Push;
import com.vaadin.shared.communication.PushMode;
import com.vaadin.shared.ui.ui.Transport;
import com.vaadin.spring.annotation.SpringUI;
import com.vaadin.spring.navigator.SpringViewProvider;
import org.eclipse.hawkbit.ui.AbstractHawkbitUI;
import org.eclipse.hawkbit.ui.ErrorView;
import org.eclipse.hawkbit.ui.UiProperties;
import org.eclipse.hawkbit.ui.components.NotificationUnreadButton;
import org.eclipse.hawkbit.ui.menu.DashboardMenu;
import org.eclipse.hawkbit.ui.push.EventPushStrategy;
import org.eclipse.hawkbit.ui.push.UIEventProvider;
import org.eclipse.hawkbit.ui.utils.VaadinMessageSource;
import org.springframework.context.ApplicationContext;
import org.vaadin.spring.events.EventBus.UIEventBus;

/** The operator's UI; all of it is in hawkBit's class, which only has to be given a place. */
@SpringUI
@Push(value = PushMode.AUTOMATIC, transport = Transport.WEBSOCKET_XHR)
public class MainUi extends AbstractHawkbitUI {
    private static final long serialVersionUID = 1L;

    MainUi(final EventPushStrategy pushStrategy, final UIEventBus eventBus, final UIEventProvider eventProvider,
            final SpringViewProvider viewProvider, final ApplicationContext context, final DashboardMenu menu,
            final ErrorView errorView, final NotificationUnreadButton notifications, final UiProperties properties,
            final VaadinMessageSource messages) {
        super(pushStrategy, eventBus, eventProvider, viewProvider, context, menu, errorView, notifications, properties,
                messages);
    }
}
